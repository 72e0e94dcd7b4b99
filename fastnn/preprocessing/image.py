"""Pictures in files under their other Keras names; ``ImageDataGenerator`` says what to write today."""

from typing import Any

from ..utils import array_to_img, img_to_array, load_img, save_img

__all__ = ["ImageDataGenerator", "array_to_img", "img_to_array", "load_img", "save_img"]


class ImageDataGenerator:
    """Keras 2's generator of changed images: not here, and the error says what to write.

    Raises
    ------
    NotImplementedError
        Always.
    """

    def __init__(self, *arguments: Any, **settings: Any):
        raise NotImplementedError(
            "ImageDataGenerator left Keras with Keras 3. Use data = "
            "fastnn.utils.image_dataset_from_directory(folder, image_size=(150, 150)) for files, and layers in "
            "the model "
            'for changes: Rescaling(1 / 255), RandomFlip("horizontal"), RandomRotation(0.1), RandomZoom(0.2), '
            "RandomTranslation(0.1, 0.1), RandomShear(0.2); then model.fit(data)."
        )
