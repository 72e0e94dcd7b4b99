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
UNIT = [[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]]
STEPS = [
    [[0.5, 1.0, -1.0], [0.0, 2.0, 0.5], [1.0, 0.0, 0.5], [-1.0, 0.3, 0.8]],
    [[0.1, -0.4, 1.0], [1.0, 1.0, 0.0], [0.2, 0.6, -0.3], [0.0, 0.0, 0.7]],
]

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
    # mean (1 − q)^γ · (−t ln p − (1 − t) ln(1 − p)), q = tp + (1 − t)(1 − p)
    ("BinaryFocalCrossentropy", {}, BITS, CHANCES, [0.3298646634746958, 0.20579838163862715]),
    (
        "BinaryFocalCrossentropy",
        {"from_logits": True, "gamma": 1.5},
        BITS,
        SCORES,
        [1.2895364588583156, 1.6563359557410282],
    ),
    (
        "BinaryFocalCrossentropy",
        {"apply_class_balancing": True, "alpha": 0.4, "label_smoothing": 0.1},
        BITS,
        CHANCES,
        [0.15595184177938534, 0.11834851451850743],
    ),
    # Σ α (1 − p)^γ · (−t ln p)
    ("CategoricalFocalCrossentropy", {}, ONE_HOT, SURE, [3.2058308992219164e-05, 0.46627348133129426]),
    (
        "CategoricalFocalCrossentropy",
        {"alpha": [0.2, 0.3, 0.5], "gamma": 1.5, "from_logits": True},
        ONE_HOT,
        LOGITS,
        [0.01674346199604768, 0.0017065304307113053],
    ),
    (
        "CategoricalFocalCrossentropy",
        {"label_smoothing": 0.3},
        ONE_HOT,
        SURE,
        [0.4705691667527395, 0.41986927674947905],
    ),
    # (1 − p[t]^q) / q
    ("CategoricalGeneralizedCrossEntropy", {}, [1, 2], SURE, [0.05064113103820733, 1.367544467966324]),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.8}, [1, 2], SURE, [0.05025514205995091, 1.0518883509423609]),
    # 1 − 2 Σ ty / (Σ t + Σ y + 1e-7)
    ("Dice", {}, BITS, CHANCES, 1 - 0.8 / 3.0000001),
    ("Dice", {"axis": -1}, BITS, CHANCES, [0.600000019999999, 1.0]),
    ("Dice", {"axis": (1,)}, SHARES, GUESSES, [0.6875000156249992, 0.5250000237499988]),
    # 1 − Σ ty / (Σ ty + α Σ t(1 − y) + β Σ (1 − t)y + 1e-7)
    ("Tversky", {}, BITS, CHANCES, 1 - 0.4 / 1.5000001),
    ("Tversky", {"axis": 1}, BITS, CHANCES, [0.6000000399999961, 1.0]),
    ("Tversky", {"axis": 1, "alpha": 0.3, "beta": 0.7}, SHARES, GUESSES, [0.6875000312499968, 0.5250000474999952]),
    # softplus(ln Σ₊ exp(γ(m + d)(d − m)) + ln Σ₋ exp(γ(1 + m − d)(1 − m − d))), d = 1 − u·v
    ("Circle", {}, [0, 0, 1], UNIT, [1.869836380252033e-10, 6.401660178414035, 0.0]),
    (
        "Circle",
        {"gamma": 2.0, "margin": 0.2, "remove_diagonal": False},
        [0, 1, 1],
        UNIT,
        [1.592698180103344, 2.1145130361571183, 1.1071274845831773],
    ),
    # −ln Σ p(alignment); TensorFlow's own numbers are float32
    ("CTC", {}, [[1, 2, 0], [2, 2, 0]], STEPS, [0.781547006778389, 2.2993826663678685]),
]
