"""Runs the programs on one case and compares their answers with ONNX Runtime's."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import third_party_pictures as pictures
from safetensors.numpy import load_file
from third_party_graph import answers, twins
from third_party_run import preparation, quantize_flags

# Smallest accuracy of a generated network: a network near chance level would not tell right answers from wrong ones.
ACCURACY = 0.95
# Largest accepted error of a probability that `classify` shows.
SHOWN = 2e-3
# Cases that also run with `--backend ort`: those in which the two back ends once gave different answers.
ON_ORT = {
    "shared_weight_and_bias",
    "two_outputs_aux_first",
    "two_outputs_chosen",
    "norm_training_mode_1_outputs",
    "half_between_casts",
    "half_throughout",
    "half_weights_widened",
    "external_beside",
    "external_outside_of_the_folder",
    "clip_constant_nodes",
    "softmax_behind_flatten",
    "channels_last",
    "bytes_as_input",
    "output_n_c_1_1",
    "convnext_gelu_20",
    "qdq_no_zero_point",
    "input_height_unknown",
}
# Accepted exit codes of `parity`: 0 (holds), and 3 (inconclusive), since thirty images are few.
COMPARED = (0, 3)


class Material:
    """Generated images in a folder, and the same images as prepared inputs."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.pictures = self.folder / "pictures"
        if not self.pictures.is_dir():
            pictures.write(self.pictures)
        self.labels = self.pictures / "labels.txt"
        self.train, self.train_labels = pictures.read(self.pictures, "train")
        self.test, self.test_labels = pictures.read(self.pictures, "test")

    def spec(self, split):
        return f"folder:{self.pictures}?split={split}"


def fed(case, prepared):
    """Inputs of the odd form, in its scale, channel order and layout, for inputs `[n, 3, h, w]` of the plain form."""
    x = prepared
    scale = case.extra.get("scale")
    if scale:
        x = x * np.float32(pictures.STD) + np.float32(pictures.MEAN)
        x = np.round(x * 255) if scale == "bytes" else x
    x = x[:, ::-1] if case.extra.get("order") == "BGR" else x
    x = x.transpose(0, 2, 3, 1) if case.extra.get("layout") == "NHWC" else x
    return np.ascontiguousarray(x.astype(case.extra.get("dtype", np.float32)))


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def said_of(case, logits):
    """Outputs of the odd form for the `logits` of the plain form."""
    x = logits.astype(np.float64)
    if case.says == "probabilities":
        return softmax(x)
    if case.says == "log":
        return np.log(softmax(x))
    return 1 / (1 + np.exp(-x)) if case.says == "independent" else x


def ported(model):
    """NumPy type of the first input of `model` that is not an initializer."""
    constants = {tensor.name for tensor in model.graph.initializer}
    entry = next(value for value in model.graph.input if value.name not in constants)
    return onnx.helper.tensor_dtype_to_np_dtype(entry.type.tensor_type.elem_type)


def made(case, material):
    """Writes `plain.onnx` and `case.onnx`; returns their folder and the expected outputs `[n, classes]`."""
    folder = material.folder / "cases" / case.name
    folder.mkdir(parents=True, exist_ok=True)
    options = dict(opset=case.opset, ir=case.ir, batch=case.batch, plain_opset=case.plain_opset)
    plain, odd = twins(case.build, material.train, material.train_labels, **options)
    onnx.save(plain, folder / "plain.onnx")
    if case.after:
        case.after(folder, odd)
    else:
        onnx.save(odd, folder / "case.onnx")
    inputs = fed(case, material.test)
    if case.outcome == "refused":
        return folder, None
    right = said_of(case, answers(plain, material.test).reshape(len(inputs), -1))
    if case.reference != "twin":
        found = answers(str(folder / "case.onnx"), inputs.astype(ported(odd)), case.output or None)
        found = found.reshape(len(inputs), -1).astype(np.float64)
        if case.reference == "case":
            right = found
        off = float(np.abs(found - right).max() / np.abs(right).max())
        if not off <= max(case.tolerance, 1e-5):
            raise ValueError(f"ONNX Runtime's answers to the two forms differ by {off:.1e}")
    share = float((right.argmax(axis=1) == material.test_labels).mean())
    if share < ACCURACY:
        raise ValueError(f"the accuracy of the generated network is {100 * share:.0f} %")
    return folder, right


class Findings:
    """Figures of the checks that passed, and messages of those that failed."""

    def __init__(self, case):
        self.case, self.figures, self.failures = case, [], []

    def fails(self, text):
        self.failures.append(text)

    def ended(self, done, accepted=(0,)):
        """Whether a program gave an answer. Records a wrong exit code, and accepts a refusal if the case allows one."""
        if done.status in accepted:
            if self.case.outcome == "refused":
                self.fails(f"`{done.command}` ended with {done.status}, expected a refusal")
                return False
            return True
        refusal = done.status == 2 and any(word in done.err for word in self.case.words)
        if self.case.outcome in ("refused", "either") and refusal:
            self.figures.append(f"{done.command.split()[0]} {done.command.split()[1]} refused")
            return False
        self.fails(done.reason())
        return False


def judged(case, material, programs):
    """Figures and failures of a case."""
    folder, right = made(case, material)
    found = Findings(case)
    if programs is None:
        return [f"{case.outcome}"], []
    if case.extra.get("judge"):
        case.extra["judge"](case, folder, right, material, programs, found)
        return found.figures, found.failures
    model = folder / "case.onnx"
    classified(case, model, preparation(case, material.labels), right, material, programs, found, 1.0)
    logits(case, folder, right, material, programs, found)
    flags = preparation(case, material.labels)
    if case.outcome != "refused":
        found.ended(programs.run("tailfold", "info", "--model", model, "--json", *flags))
        found.ended(programs.run("tailfold", "evaluate", "--model", model, "--data", material.spec("test"), *flags))
    if case.name in ON_ORT or programs.ort_everywhere:
        classified(case, model, [*flags, *on_ort()], right, material, programs, found, 1.0)
    if case.quantize:
        quantized(case, folder, right, material, programs, found)
    return found.figures, found.failures


def on_ort():
    """Flags for ONNX Runtime's shared library from the Python package."""
    libraries = sorted((Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so.*"))
    return ["--backend", "ort", "--ort-library", libraries[0]] if libraries else []


def classified(case, model, flags, right, material, programs, found, least):
    """Checks the decisions of `tailfold classify`, and its probabilities if `least` is 1 (all decisions are right)."""
    done = programs.run("tailfold", "classify", "--json", "--model", model, *flags, material.pictures / "test")
    if not found.ended(done):
        return
    rows = {tuple(Path(row["file"]).parts[-2:]): row for row in json.loads(done.out)["images"]}
    names = [(name, f"{i:03}.png") for name in pictures.CLASSES for i in range(pictures.TEST)]
    if set(rows) != set(names) or any("top" not in row for row in rows.values()):
        found.fails(f"`classify` of {model.name} answers {len(rows)} of {len(names)} pictures, or not all")
        return
    first = [rows[name]["top"][0] for name in names]
    decided = np.array([pictures.CLASSES.index(top["name"]) for top in first])
    share = float((decided == right.argmax(axis=1)).mean())
    if share < least:
        found.fails(
            f"`classify` of {model.name}: {100 * share:.0f} % of decisions are right, "
            f"expected at least {100 * least:.0f} %"
        )
    if least == 1.0:
        shown = np.array([top["probability"] for top in first])
        wanted = right if case.says in ("probabilities", "independent") else softmax(right)
        off = float(np.abs(shown - wanted.max(axis=1)).max())
        if not off <= max(SHOWN, 4 * case.tolerance):
            found.fails(f"`classify` shows {shown[0]:.3f}, expected {wanted[0].max():.3f}")
    found.figures.append(f"{model.name.split('.')[-2]} {100 * share:.0f} %")


def logits(case, folder, right, material, programs, found):
    """Checks the file that `tailfold logits` writes against the expected outputs."""
    out = folder / "said.safetensors"
    flags = preparation(case, material.labels)
    done = programs.run(
        "tailfold", "logits", "--model", folder / "case.onnx", "--data", material.spec("test"), *flags, "--out", out
    )
    if not found.ended(done):
        return
    said = load_file(out)["logits"].astype(np.float64)
    if said.shape != right.shape or not np.isfinite(said).all():
        found.fails(f"`logits` wrote the shape {said.shape}, expected {right.shape}, or values that are not finite")
        return
    # The logarithms of probabilities are valid logits: a softmax gives the probabilities back.
    choices = [right] + ([np.log(right)] if case.says == "probabilities" else [])
    if case.says == "independent":
        choices.append(np.log(right / (1 - right)))
    if case.says in ("probabilities", "log"):
        # The inputs of the softmax are valid too: they differ from the logarithms by one constant per row.
        centred = np.log(right) if case.says == "probabilities" else right
        centred = centred - centred.mean(axis=1, keepdims=True)
        same = np.abs(said - said.mean(axis=1, keepdims=True) - centred).max() / np.abs(centred).max()
        choices = [said] if same <= case.tolerance else choices
    off = min(float(np.abs(said - choice).max() / np.abs(choice).max()) for choice in choices)
    if not off <= case.tolerance:
        found.fails(f"`logits` has the relative error {off:.1e}, allowed {case.tolerance:.0e}")
    found.figures.append(f"logits {off:.0e}")


def quantized(case, folder, right, material, programs, found):
    """Quantizes by default options: the INT8 file runs in ONNX Runtime, agrees with the float model, needs no flags."""
    model, out = folder / "case.onnx", folder / "int8.onnx"
    out.unlink(missing_ok=True)
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    done = programs.run(
        "tailfold", "quantize", "--model", model, *quantize_flags(case, material.labels),
        "--calibration", material.spec("train"), "--out", out,
    )
    if done.status == 2 and any(word in done.err for word in case.quantize_words):
        found.figures.append("no INT8 file, with an accepted message")
        return
    if not found.ended(done):
        if out.exists():
            found.fails("`tailfold quantize` refused the model but wrote a file")
        return
    if {path: path.read_bytes() for path in before} != before:
        found.fails("`tailfold quantize` changed a file of the float model")
    # From bytes: a file with external data does not load.
    integer = onnx.load_from_string(out.read_bytes())
    output = case.output if case.output in [value.name for value in integer.graph.output] else None
    decided = answers(out.read_bytes(), fed(case, material.test).astype(ported(integer)), output)
    decided = decided.reshape(len(material.test), -1).argmax(axis=1)
    share = float((decided == right.argmax(axis=1)).mean())
    found.figures.append(f"INT8 in ONNX Runtime {100 * share:.0f} %")
    apart = case.extra.get("warns")
    if share < case.agreement and not (apart and apart in done.err):
        found.fails(
            f"top-1 agreement of the INT8 file with the float model in ONNX Runtime is {100 * share:.0f} %, "
            f"expected at least {100 * case.agreement:.0f} %"
        )
    if not apart:
        classified(case, out, [], right, material, programs, found, case.agreement)
        if case.name in ON_ORT:
            classified(case, out, on_ort(), right, material, programs, found, case.agreement)
    told = "in float" in done.err or "float arithmetic" in done.err
    done = programs.run("tailfold", "info", "--model", out, "--require-integer")
    if case.integer and case.outcome == "twin":
        found.ended(done)
    elif done.status != 0 and not told:
        found.fails("some layers run in float, and `tailfold quantize` did not report them")
    found.ended(
        programs.run(
            "tailfold", "parity", "--reference", model, "--candidate", out, "--data", material.spec("test"),
            *preparation(case, material.labels),
        ),
        COMPARED,
    )
