"""Losses of Keras 3 (TensorFlow backend, float64), one value for each row; the formula stands beside each."""

REAL = [[0.0, 1.0, 2.0], [3.0, 0.5, 1.0]]
NEAR = [[0.5, 0.75, 4.0], [1.0, 0.25, -1.0]]
SHARES = [[0.25, 0.5, 0.25], [0.1, 0.0, 0.9]]
GUESSES = [[0.5, 0.25, 0.25], [0.25, 0.25, 0.5]]
ONE_HOT = [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
SURE = [[0.05, 0.95, 0.0], [0.1, 0.8, 0.1]]
LOGITS = [[1.0, 2.0, -1.0], [0.5, -0.5, 3.0]]
BITS = [[0.0, 1.0], [0.0, 0.0]]
CHANCES = [[0.6, 0.4], [0.4, 0.6]]
SCORES = [[1.0, -2.0], [0.5, 3.0]]

GOLDEN = [
    # mean (y − t)²
    ("MeanSquaredError", {}, REAL, NEAR, [1.4375, 2.6875]),
    # mean |y − t|
    ("MeanAbsoluteError", {}, REAL, NEAR, [0.9166666666666666, 1.4166666666666667]),
    # 100 · mean |y − t| / max(|t|, 1e-7)
    ("MeanAbsolutePercentageError", {}, REAL, NEAR, [166666708.3333333, 105.55555555555556]),
    # mean (ln(1 + max(y, 1e-7)) − ln(1 + max(t, 1e-7)))²
    ("MeanSquaredLogarithmicError", {}, REAL, NEAR, [0.14772510783743828, 0.3313823464262511]),
    # mean ½e², and δ|e| − ½δ² beyond δ
    ("Huber", {}, REAL, NEAR, [0.5520833333333334, 1.0104166666666667]),
    ("Huber", {"delta": 0.5}, REAL, NEAR, [0.34375, 0.59375]),
    # mean ln cosh e
    ("LogCosh", {}, REAL, NEAR, [0.4920156840741135, 0.8936450975406421]),
    # Σ t ln(t / y), both cut to [1e-7, 1]
    ("KLDivergence", {}, SHARES, GUESSES, [0.17328679513998632, 0.4373774520443627]),
    # mean y − t ln(y + 1e-7)
    ("Poisson", {}, SHARES, GUESSES, [0.7376690719933231, 0.587487226205322]),
    # mean max(1 − t·y, 0), bits turned into ±1
    ("Hinge", {}, BITS, SCORES, [2.5, 2.75]),
    # mean max(1 − t·y, 0)²
    ("SquaredHinge", {}, BITS, SCORES, [6.5, 9.125]),
    # max(1 + max((1 − t)·y) − Σ t·y, 0)
    ("CategoricalHinge", {}, ONE_HOT, LOGITS, [0.0, 0.0]),
    # −Σ u·v, u and v at length 1
    ("CosineSimilarity", {}, REAL, NEAR, [-0.9543482955111205, -0.4621681606529814]),
    # mean −t ln p − (1 − t) ln(1 − p)
    ("BinaryCrossentropy", {}, BITS, CHANCES, [0.916290731874155, 0.7135581778200728]),
    ("BinaryCrossentropy", {"from_logits": True}, BITS, SCORES, [1.7200948492805979, 2.0113321678769243]),
    # t(1 − ε) + ε/2 for t
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, BITS, CHANCES, [0.8960174764687467, 0.7135581778200728]),
    # −Σ t ln p
    ("CategoricalCrossentropy", {}, ONE_HOT, SURE, [0.05129329438755058, 2.3025850929940455]),
    ("CategoricalCrossentropy", {"from_logits": True}, ONE_HOT, LOGITS, [0.34901221676818633, 0.1064141042799557]),
    # t(1 − ε) + ε/C for t
    (
        "CategoricalCrossentropy",
        {"from_logits": True, "label_smoothing": 0.3},
        ONE_HOT,
        LOGITS,
        [0.7490122167681863, 0.7064141042799557],
    ),
    # −ln p[t]
    ("SparseCategoricalCrossentropy", {}, [1, 2], SURE, [0.05129329438755058, 2.3025850929940455]),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, [1, 2], LOGITS, [0.34901221676818633, 0.1064141042799557]),
]
