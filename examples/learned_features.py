"""Classic methods on pixels and on learned features: trees, k-means, DBSCAN, hierarchical clustering, PCA.

Two networks learn handwritten digits. An autoencoder squeezes 784 pixels into 16 numbers and learns to give the pixels
back; it never sees a label. A classifier learns the labels; the features are the 32 outputs of its last hidden layer.
Methods of scikit-learn then get pixels, the code, or the features of test images, which neither network has seen:

* a *decision tree* learns to classify one half, and is measured on the other;
* *k-means*, *hierarchical clustering* (agglomerative, Ward) and *DBSCAN* look for groups without labels. The adjusted
  Rand index compares the groups with the digits: 1 if they agree, 0 if by chance. The radius of DBSCAN is such that
  three points in ten have ten points within it, themselves included; points that belong to no group are noise;
* *PCA* projects on the two directions of the largest variance, for the picture.

Needs scikit-learn: pip install 'fastnn-kernels[sklearn]'. Measured with seed 0 (tree; k-means, hierarchical, DBSCAN):
pixels 0.683; 0.397, 0.402, 0.088; code 0.688; 0.376, 0.442, 0.104; features 0.873; 0.869, 0.882, 0.209.

    python examples/learned_features.py
"""

from time import perf_counter

import numpy as np
from common import options, picture
from sklearn.cluster import DBSCAN, AgglomerativeClustering, KMeans
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import NearestNeighbors
from sklearn.tree import DecisionTreeClassifier

from fastnn.datasets import mnist
from fastnn.interop import FastnnClassifier, FastnnRegressor, FastnnTransformer

args = options(
    "Trees and clusters on learned features.",
    epochs=10,
    output="learned_features.png",
    images=(3000, "test images for the methods"),
)

(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train = x_train[: args.samples].reshape(-1, 784).astype(np.float32) / 255
y_train = y_train[: args.samples]
x, y = x_test[: args.images].reshape(-1, 784).astype(np.float32) / 255, y_test[: args.images]

settings = {"epochs": args.epochs, "batch_size": 64, "verbose": 1, "random_state": 0}
print("The autoencoder learns to give the pixels back:")
coder = FastnnTransformer(
    FastnnRegressor(hidden_layer_sizes=(128, 16, 128), **settings), layer="hidden_2", reconstruct=True
).fit(x_train)
print("The classifier learns the labels:")
classifier = FastnnClassifier(hidden_layer_sizes=(128, 32), metrics=["accuracy"], **settings).fit(x_train, y_train)
hidden = FastnnTransformer(FrozenEstimator(classifier), layer="hidden_2").fit(x_train)
print(f"test accuracy {classifier.score(x_test.reshape(-1, 784) / np.float32(255), y_test):.4f}\n")

spaces = {"pixels": x, "code": coder.transform(x), "features": hidden.transform(x)}
half = len(x) // 2
figure = picture(15, 5)
plots = figure.subplots(1, 3) if figure else [None] * 3
print(
    f"{'':<10}{'tree':>8}{'k-means':>10}{'hierarchical':>14}{'DBSCAN':>8}{'groups':>8}{'noise':>7}{'PCA':>7}{'seconds':>9}"
)
for (name, space), axes in zip(spaces.items(), plots, strict=True):
    start = perf_counter()
    tree = DecisionTreeClassifier(random_state=0).fit(space[:half], y[:half]).score(space[half:], y[half:])
    means = KMeans(10, n_init=3, random_state=0).fit_predict(space)
    hierarchy = AgglomerativeClustering(10).fit_predict(space)
    radius = np.quantile(NearestNeighbors(n_neighbors=10).fit(space).kneighbors(space)[0][:, -1], 0.3)
    dense = DBSCAN(radius, min_samples=10).fit_predict(space)
    pca = PCA(2, random_state=0).fit(space)
    print(
        f"{name:<10}{tree:>8.3f}{adjusted_rand_score(y, means):>10.3f}{adjusted_rand_score(y, hierarchy):>14.3f}"
        f"{adjusted_rand_score(y, dense):>8.3f}{dense.max() + 1:>8}{(dense < 0).mean():>7.2f}"
        f"{pca.explained_variance_ratio_.sum():>7.2f}{perf_counter() - start:>9.1f}"
    )
    if figure:
        flat = pca.transform(space)
        drawn = axes.scatter(flat[:, 0], flat[:, 1], c=y, cmap="tab10", s=4)
        axes.set(title=f"{name}, {space.shape[1]} numbers an image", xlabel="component 1", ylabel="component 2")
if figure:
    figure.colorbar(drawn, ax=plots[-1], label="digit")
    figure.savefig(args.output, dpi=120)
    print(f"Projections in {args.output}.")
