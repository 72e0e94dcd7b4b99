"""Metrics of Keras 3: each with the numbers after a batch without and with sample weights."""

import numpy as np

BINARY = (
    np.array([[0.0], [0.0], [1.0], [1.0], [1.0], [0.0]]),
    np.array([[0.0], [0.5], [0.3], [0.9], [0.6], [0.4]]),
    np.array([1.0, 2.0, 0.5, 1.0, 0.0, 1.0]),
)
ONE_HOT = (
    np.eye(3)[[0, 2, 1, 1]],
    np.array([[0.5, 0.3, 0.2], [0.4, 0.35, 0.25], [0.1, 0.6, 0.3], [0.3, 0.3, 0.4]]),
    np.array([1.0, 2.0, 3.0, 0.5]),
)
LABELS = (np.array([0, 2, 1, 1]), *ONE_HOT[1:])
REAL = (
    np.array([[1.0, 4.0], [2.0, -1.0], [0.5, 3.0]]),
    np.array([[1.5, 3.0], [2.0, 0.0], [1.0, 2.5]]),
    np.array([1.0, 0.5, 2.0]),
)

GOLDEN = [
    ("BinaryAccuracy", {}, BINARY, 0.8333333, 0.9090909),
    ("BinaryAccuracy", {"threshold": 0.35}, BINARY, 0.5, 0.3636364),
    ("Precision", {}, BINARY, 1.0, 1.0),
    ("Recall", {}, BINARY, 0.6666667, 0.6666667),
    ("Precision", {"thresholds": [0.7, 0.35, 0.1]}, BINARY, [1.0, 0.5, 0.6], [1.0, 0.25, 0.3333333]),
    ("Recall", {"thresholds": [0.7, 0.35, 0.1]}, BINARY, [0.3333333, 0.6666667, 1.0], [0.6666667, 0.6666667, 1.0]),
    ("Precision", {"top_k": 2}, ONE_HOT, 0.25, 0.3076923),
    ("Recall", {"top_k": 2, "class_id": 1}, ONE_HOT, 0.5, 0.8571429),
    ("Precision", {"class_id": 1, "thresholds": 0.3}, ONE_HOT, 0.5, 0.6),
    ("AUC", {}, BINARY, 0.7777778, 0.75),
    ("AUC", {"curve": "PR"}, BINARY, 0.8512376, 0.7644339),
    ("AUC", {"curve": "PR", "summation_method": "minoring"}, BINARY, 0.5, 0.0833333),
    ("AUC", {"curve": "ROC", "summation_method": "majoring", "num_thresholds": 5}, BINARY, 1.0, 1.0),
    ("AUC", {"multi_label": True, "num_labels": 3}, ONE_HOT, 0.6527778, 0.7010582),
    ("AUC", {"thresholds": [0.2, 0.35, 0.9]}, BINARY, 0.5555556, 0.5),
    ("CategoricalAccuracy", {}, ONE_HOT, 0.5, 0.6153846),
    ("SparseCategoricalAccuracy", {}, LABELS, 0.5, 0.6153846),
    ("TopKCategoricalAccuracy", {"k": 2}, ONE_HOT, 0.75, 0.692308),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, LABELS, 0.75, 0.692308),
    ("F1Score", {}, ONE_HOT, [0.666667, 0.666667, 0.0], [0.5, 0.923077, 0.0]),
    ("F1Score", {"average": "macro"}, ONE_HOT, 0.444444, 0.474359),
    ("FBetaScore", {"average": "micro", "beta": 2.0, "threshold": 0.3}, ONE_HOT, 0.476191, 0.57971),
    ("F1Score", {"average": "weighted", "threshold": 0.25}, ONE_HOT, 0.458333, 0.445299),
    ("MeanSquaredError", {}, REAL, 0.458333, 0.392857),
    ("RootMeanSquaredError", {}, REAL, 0.677003, 0.626783),
    ("MeanAbsoluteError", {}, REAL, 0.583333, 0.571429),
    ("MeanAbsolutePercentageError", {}, REAL, 48.611111, 51.190472),
    ("CosineSimilarity", {}, REAL, 0.949171, 0.964914),
    ("R2Score", {}, REAL, 0.705357, 0.4814),
    ("R2Score", {"class_aggregation": "variance_weighted_average"}, REAL, 0.818681, 0.714815),
    ("R2Score", {"num_regressors": 1}, REAL, 0.631696, 0.35175),
    ("CategoricalCrossentropy", {}, ONE_HOT, 0.94856, 0.861569),
    ("SparseCategoricalCrossentropy", {}, LABELS, 0.94856, 0.861569),
    ("KLDivergence", {}, ONE_HOT, 0.948557, 0.861566),
    ("TruePositives", {}, BINARY, 2.0, 1.0),
    ("FalseNegatives", {"thresholds": [0.2, 0.8]}, BINARY, [0.0, 2.0], [0.0, 0.5]),
    ("TrueNegatives", {}, BINARY, 3.0, 4.0),
    ("FalsePositives", {}, BINARY, 0.0, 0.0),
]
