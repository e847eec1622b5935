"""Keras on TensorFlow as a contestant of bench/training_speed.ts, with the networks of keras.applications.

python train_keras.py MODEL BATCH SIZE THREADS

jit_compile is left at "auto", which is off where there is no GPU: compiled by XLA a step of MobileNetV3 takes ten times
as long on a CPU.
"""

import sys

import tensorflow as tf

model_id, batch, size, threads = sys.argv[1], *map(int, sys.argv[2:5])
tf.config.threading.set_intra_op_parallelism_threads(threads)
tf.config.threading.set_inter_op_parallelism_threads(threads)

import keras  # noqa: E402
from _measure import serve  # noqa: E402

keras.utils.set_random_seed(0)
common = dict(input_shape=(size, size, 3), weights=None, classes=100, classifier_activation=None)
mobilenet = dict(dropout_rate=0, include_preprocessing=False, **common)
model = {
    "mobilenetv3_small_100": lambda: keras.applications.MobileNetV3Small(alpha=1.0, **mobilenet),
    "mobilenetv3_large_075": lambda: keras.applications.MobileNetV3Large(alpha=0.75, **mobilenet),
    "mobilenetv3_large_100": lambda: keras.applications.MobileNetV3Large(alpha=1.0, **mobilenet),
    "efficientnet_b0": lambda: keras.applications.EfficientNetB0(**common),
}[model_id]()
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.01, momentum=0.9, weight_decay=5e-4),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
images = tf.random.normal((batch, size, size, 3))
labels = tf.range(batch) % 100

serve(
    lambda: model.train_on_batch(images, labels),
    lambda: model.predict_on_batch(images),
    {"keras": keras.__version__, "tensorflow": tf.__version__, "jit_compile": str(model.jit_compile)},
)
