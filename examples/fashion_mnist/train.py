"""Train the bundled example: a small CNN on Fashion-MNIST, converted to int8 TFLite.

The network is small but has the structures a compiler cares about: a strided first convolution,
inverted bottlenecks with and without a residual ADD, explicit PADs to fold, an average pool,
a dense layer and a softmax.
"""

import gzip
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, TypeAlias

import click
import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read once, when tensorflow is imported
import tensorflow as tf

Images: TypeAlias = NDArray[np.uint8]  # [n, 28, 28, 1]
Labels: TypeAlias = NDArray[np.uint8]  # [n]

keras: Any = tf.keras
layers: Any = tf.keras.layers

NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

WIDTH = 12  # channels after the first convolution
EXPANSION = 3  # an inverted bottleneck works on this many times its input channels
BLOCKS = ((12, 1), (18, 2), (18, 1), (30, 2), (30, 1))  # (output channels, stride)

BATCH = 128
PEAK_RATE = 1e-2
CALIBRATION_IMAGES = 500
SAMPLE_IMAGES = 48


@dataclass(frozen=True)
class Split:
    images: Images
    labels: Labels


# --- data -----------------------------------------------------------------------------------------


def read_idx(path: Path) -> NDArray[np.uint8]:
    """An idx file: two zero bytes, type (8 = uint8), rank, big-endian sizes, elements."""
    data = gzip.decompress(path.read_bytes())
    if data[:3] != b"\0\0\x08":
        raise click.ClickException(f"{path} is not an idx file of unsigned bytes")
    rank = data[3]
    shape = np.frombuffer(data, ">u4", count=rank, offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


def load_split(folder: Path, prefix: str) -> Split:
    """`prefix` is `train` or `t10k`, the data set's own names for its two splits."""
    images = read_idx(folder / f"{prefix}-images-idx3-ubyte.gz")
    labels = read_idx(folder / f"{prefix}-labels-idx1-ubyte.gz")
    return Split(images[..., np.newaxis], labels)


def unit_range(images: Images) -> NDArray[np.float32]:
    """Pixels as [0, 1], for an int8 input of scale 1/255, zero point -128: that is pixel - 128."""
    return images.astype(np.float32) / np.float32(255)


def first_balanced(split: Split, count: int) -> Split:
    """The first images in file order, at most ceil(count / classes) of a class.

    No model takes part in the choice, so accuracy on these images is not flattered.
    """
    limit = -(-count // len(NAMES))
    taken: Counter[int] = Counter()
    indices: list[int] = []
    for index, label in enumerate(split.labels.tolist()):
        if len(indices) < count and taken[label] < limit:
            taken[label] += 1
            indices.append(index)
    return Split(split.images[indices], split.labels[indices])


# --- network --------------------------------------------------------------------------------------


def normalized(x: Any, name: str) -> Any:
    # The default momentum of 0.99 would need more steps than a training this short has.
    return layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)


def activated(x: Any, name: str) -> Any:
    return layers.ReLU(6, name=f"{name}_relu6")(normalized(x, name))


def padded(x: Any, stride: int, name: str) -> tuple[Any, str]:
    """Explicit symmetric padding in front of a stride, the way PyTorch-exported models come.

    `same` pads a 28 or 14 pixel map on the bottom and right only when it strides. PAD there and `same`
    elsewhere shows the compiler both forms. (On 7x7 the two agree, and the converter folds the PAD.)
    """
    return (layers.ZeroPadding2D(1, name=f"{name}_pad")(x), "valid") if stride > 1 else (x, "same")


def bottleneck(x: Any, channels: int, stride: int, name: str) -> Any:
    """1x1 expand, depthwise 3x3, linear 1x1 project; a residual where the shapes allow one."""
    inputs, width = x, x.shape[-1]
    x = layers.Conv2D(EXPANSION * width, 1, use_bias=False, name=f"{name}_expand")(x)
    x = activated(x, f"{name}_expand")
    x, padding = padded(x, stride, name)
    x = layers.DepthwiseConv2D(3, stride, padding, use_bias=False, name=f"{name}_depthwise")(x)
    x = activated(x, f"{name}_depthwise")
    x = layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_project")(x)
    x = normalized(x, f"{name}_project")
    return layers.Add(name=f"{name}_add")([inputs, x]) if stride == 1 and width == channels else x


def build() -> Any:
    inputs = layers.Input((28, 28, 1))
    x, padding = padded(inputs, 2, "stem")
    x = layers.Conv2D(WIDTH, 3, 2, padding, use_bias=False, name="stem")(x)
    x = activated(x, "stem")
    for index, (channels, stride) in enumerate(BLOCKS):
        x = bottleneck(x, channels, stride, f"b{index}")
    x = layers.Flatten()(layers.AveragePooling2D(x.shape[1], name="average")(x))
    outputs = layers.Dense(len(NAMES), activation="softmax", name="classes")(x)
    return keras.Model(inputs, outputs, name="cnn")  # a prefix of every tensor name: kept short


def count_macs(model: Any) -> int:
    """Every kernel element is used once per output position; padding is counted like data."""
    weighted = [layer for layer in model.layers if hasattr(layer, "kernel")]
    return sum(int(np.prod(layer.kernel.shape) * np.prod(layer.output.shape[1:-1])) for layer in weighted)


# --- training and conversion ----------------------------------------------------------------------


def make_deterministic(seed: int) -> None:
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    # The order of a sum depends on the number of threads: one thread, whatever the machine has.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def train(model: Any, split: Split, epochs: int) -> None:
    steps = epochs * -(-len(split.images) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(PEAK_RATE / 50, steps, warmup_target=PEAK_RATE, warmup_steps=100)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(unit_range(split.images), split.labels, BATCH, epochs, verbose=2)


def convert(model: Any, calibration: Images) -> bytes:
    """Full-int8 TFLite, per-channel weights, int8 at both ends."""

    def representative() -> Iterator[list[NDArray[np.float32]]]:
        return ([unit_range(image[np.newaxis])] for image in calibration)

    with TemporaryDirectory() as folder:
        # A fixed batch of one keeps SHAPE, PACK and STRIDED_SLICE out of the graph.
        single = layers.InputSpec(shape=(1, *model.input_shape[1:]), dtype="float32", name="image")
        model.export(folder, input_signature=[single], verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = representative
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
        return bytes(converter.convert())


# --- evaluation -----------------------------------------------------------------------------------


def float_accuracy(model: Any, split: Split) -> float:
    answers = model.predict(unit_range(split.images), batch_size=500, verbose=0).argmax(1)
    return float((answers == split.labels).mean())


def reference_interpreter(content: bytes) -> Any:
    """TFLite's reference kernels: plain C++, no delegate, so the same answers on every machine."""
    resolver = tf.lite.experimental.OpResolverType.BUILTIN_REF
    interpreter = tf.lite.Interpreter(model_content=content, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    return interpreter


def check_input(content: bytes) -> None:
    """Feeding `pixel - 128` is only right if calibration saw a black and a white pixel."""
    details = reference_interpreter(content).get_input_details()[0]
    scale, zero_point = details["quantization"]
    if zero_point != -128 or abs(scale * 255 - 1) > 1e-6:
        raise click.ClickException(f"input scale {scale}, zero point {zero_point}: expected 1/255, -128")


def int8_accuracy(content: bytes, split: Split) -> float:
    interpreter = reference_interpreter(content)
    source = interpreter.get_input_details()[0]["index"]
    result = interpreter.get_output_details()[0]["index"]
    correct = 0
    for pixels, label in zip(split.images, split.labels, strict=True):
        interpreter.set_tensor(source, (pixels.astype(np.int16) - 128).astype(np.int8)[np.newaxis])
        interpreter.invoke()
        correct += int(interpreter.get_tensor(result).argmax() == label)
    return correct / len(split.labels)


# --- command --------------------------------------------------------------------------------------


def save_images(path: Path, split: Split) -> None:
    np.savez_compressed(path, images=split.images, labels=split.labels, names=np.array(NAMES))


def report(model: Any, content: bytes, test: Split, train_seconds: float) -> None:
    """The int8 figure comes from TFLite's reference kernels (BUILTIN_REF), one image at a time."""
    click.echo(f"training        {train_seconds:.0f} s")
    click.echo(f"MACs            {count_macs(model):,}")
    click.echo(f"model           {len(content):,} bytes")
    click.echo(f"test images     {len(test.labels):,}")
    click.echo(f"float accuracy  {float_accuracy(model, test):.2%}")
    click.echo(f"int8 accuracy   {int8_accuracy(content, test):.2%} (kernels: BUILTIN_REF)")


@click.command(help=__doc__)
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default="/usr/share/datasets/fashion-mnist",
    show_default=True,
    help="Folder with the four idx .gz files (Debian: apt install dataset-fashion-mnist).",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(__file__).parent,
    show_default="this folder",
    help="Where fashion.tflite and images.npz go.",
)
@click.option("--epochs", type=click.IntRange(min=1), default=7, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def main(data: Path, output: Path, epochs: int, seed: int) -> None:
    make_deterministic(seed)
    training, test = load_split(data, "train"), load_split(data, "t10k")
    model = build()
    start = perf_counter()
    train(model, training, epochs)
    seconds = perf_counter() - start
    content = convert(model, training.images[:CALIBRATION_IMAGES])
    check_input(content)
    output.mkdir(parents=True, exist_ok=True)
    (output / "fashion.tflite").write_bytes(content)
    save_images(output / "images.npz", first_balanced(test, SAMPLE_IMAGES))
    report(model, content, test, seconds)


if __name__ == "__main__":
    main()
