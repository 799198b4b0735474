"""Cases on damaged images, unusual folders and lists, class names, invalid arguments, and paths of written files."""

import io
import json
import os
import shutil

import numpy as np
import third_party_pictures as pictures
from PIL import Image
from third_party_case import case
from third_party_run import preparation, quantize_flags

SIDE = pictures.SIDE


def plain(g):
    g.output(g.head(g.pooled(g.trunk())))


def asked(name, kind, **options):
    """A case of the plain model that runs its own checks: `ask(asking)` with an `Asking`."""

    def register(ask):
        def judge(case, folder, right, material, programs, found):
            ask(Asking(case, folder, right, material, programs, found))

        case(name, kind, extra={"judge": judge}, reference="case", **options)(plain)
        return ask

    return register


class Asking:
    """The folder, the model and the flags of a case, its programs, and its findings."""

    def __init__(self, case, folder, right, material, programs, found):
        self.case, self.folder, self.right, self.material = case, folder, right, material
        self.programs, self.found, self.model = programs, found, folder / "case.onnx"
        self.flags = preparation(case, material.labels)

    def fresh(self, name):
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def tailfold(self, command, *arguments, flags=None, **options):
        flags = self.flags if flags is None else flags
        return self.programs.run("tailfold", command, "--model", self.model, *flags, *arguments, **options)

    def quantize(self, *arguments, flags=None):
        flags = quantize_flags(self.case, self.material.labels) if flags is None else flags
        return self.programs.run("tailfold", "quantize", "--model", self.model, *flags, *arguments)

    def rows(self, done):
        """Rows of `classify --json`, by file name."""
        try:
            return {row["file"].rsplit("/", 1)[-1]: row for row in json.loads(done.out)["images"]}
        except (ValueError, KeyError):
            self.found.fails(f"no JSON: {done.reason()}")
            return {}

    def refused(self, done, *words):
        """Whether a program ended with exit code 2 and one of `words` in its message; records a failure otherwise."""
        if done.status != 2:
            self.found.fails(f"expected a refusal: {done.reason()}")
        elif words and not any(word in done.err for word in words):
            self.found.fails(f"the message lacks {' or '.join(words)}: {done.reason()}")
        else:
            self.found.figures.append("refused")
            return True
        return False

    def said(self, text, *words):
        """Records a failure unless one of `words` is in `text`."""
        if not any(word in text for word in words):
            self.found.fails(f"the message lacks {' or '.join(words)}: {text[-200:]!r}")


# Pictures.


def photo(seed=0, side=200):
    rng = np.random.default_rng([pictures.SEED, seed])
    small = Image.fromarray(rng.integers(0, 255, (12, 12, 3), dtype=np.uint8))
    noise = rng.normal(0, 12, (side, side, 3))
    pixels = np.asarray(small.resize((side, side), Image.Resampling.BICUBIC), np.float32) + noise
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def encoded(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


JPEGS = {
    "baseline": lambda: encoded(photo(), "JPEG", quality=85),
    "progressive": lambda: encoded(photo(), "JPEG", quality=85, progressive=True),
    "grey": lambda: encoded(photo().convert("L"), "JPEG", quality=90),
    "restart_markers": lambda: encoded(photo(), "JPEG", quality=85, restart_marker_rows=1),
}
OTHERS = {
    "png": lambda: encoded(photo(), "PNG"),
    "bmp": lambda: encoded(photo(), "BMP"),
    "webp": lambda: encoded(photo(), "WEBP", quality=80),
    "ppm": lambda: encoded(photo(), "PPM"),
}


@asked("picture_cut", "F9", flags=("--fit",))
def _cut_pictures(ask):
    """A truncated image gives a row with `error` and exit code 1; the complete file gets an answer."""
    folder, whole = ask.fresh("cut"), ask.fresh("whole")
    for kind, content in {**JPEGS, **OTHERS}.items():
        ending, data = ("jpg" if kind in JPEGS else kind), content()
        (whole / f"{kind}.{ending}").write_bytes(data)
        for share in (95, 90, 50, 20, 12):
            (folder / f"{kind}-{share}.{ending}").write_bytes(data[: len(data) * share // 100])
    flags = preparation(ask.case, ask.material.labels)
    done = ask.tailfold("classify", "--json", whole, flags=flags)
    answered = [name for name, row in ask.rows(done).items() if "top" in row]
    if done.status != 0 or len(answered) != len(JPEGS) + len(OTHERS):
        ask.found.fails(f"{len(answered)} of {len(JPEGS) + len(OTHERS)} complete images have an answer: {done.reason()}")
    done = ask.tailfold("classify", "--json", folder, flags=flags)
    rows = ask.rows(done)
    taken = sorted(name for name, row in rows.items() if "top" in row)
    if taken or done.status != 1:
        ask.found.fails(f"exit {done.status}; truncated images with an answer: {' '.join(taken)}")
    ask.found.figures.append(f"{len(rows)} truncated, {len(answered)} complete")


@asked("picture_cut_while_calibrating", "F9")
def _cut_in_training(ask):
    """A truncated JPEG among the calibration images is an error that names it, or is left out with a warning."""
    folder = ask.fresh("data") / "train"
    shutil.copytree(ask.material.pictures / "train", folder)
    data = encoded(Image.open(folder / "ash/000.png"), "JPEG", quality=95)
    (folder / "ash/999.jpg").write_bytes(data[: len(data) // 2])
    out = ask.folder / "int8.onnx"
    done = ask.quantize("--calibration", f"folder:{folder.parent}?split=train", "--out", out)
    ask.said(done.err, "999.jpg")
    if done.panicked:
        ask.found.fails(done.reason())
    ask.found.figures.append(f"exit {done.status}")


@asked("picture_with_more_behind_its_end", "F9", flags=("--fit",))
def _trailing(ask):
    """Bytes after the end marker of a JPEG, which cameras write, do not change the answer."""
    folder = ask.fresh("trailing")
    data = encoded(photo(), "JPEG", quality=85)
    (folder / "plain.jpg").write_bytes(data)
    (folder / "more.jpg").write_bytes(data + bytes(500))
    (folder / "two.jpg").write_bytes(data + encoded(photo(1), "JPEG"))
    rows = ask.rows(ask.tailfold("classify", "--json", folder))
    tops = [rows.get(name, {}).get("top") for name in ("plain.jpg", "more.jpg", "two.jpg")]
    if not tops[0] or any(top != tops[0] for top in tops):
        ask.found.fails(f"answers differ: {rows}")


@asked("centre_crop_of_odd_differences", "F27", flags=("--resize", "32"))
def _crop(ask):
    """The centre crop starts at torchvision's offset, which rounds a half to the even number."""
    from safetensors.numpy import load_file

    folder = ask.fresh("odd")
    rng = np.random.default_rng(pictures.SEED)
    wanted = []
    for label, name in enumerate(pictures.CLASSES):
        (folder / "test" / name).mkdir(parents=True)
        for index, extra in enumerate((1, 3, 5, 7, 9, 11)):
            size = (SIDE, SIDE + extra) if label % 2 else (SIDE + extra, SIDE)
            pixels = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "test" / name / f"{index}.png")
            start = int(round(extra / 2.0))
            top, left = (0, start) if label % 2 else (start, 0)
            wanted.append(pixels[top : top + SIDE, left : left + SIDE])
    out = ask.folder / "crop.safetensors"
    done = ask.tailfold("logits", "--data", f"folder:{folder}?split=test", "--inputs", "--out", out)
    if not ask.found.ended(done):
        return
    inputs = load_file(out)["inputs"]
    expected = (np.stack(wanted).transpose(0, 3, 1, 2).astype(np.float32) / 255 - 0.5) / 0.25
    off = np.abs(inputs - expected).reshape(len(inputs), -1).max(axis=1)
    ask.found.figures.append(f"{int((off < 1e-3).sum())} of {len(off)} crops")
    if (off > 1e-3).any():
        ask.found.fails(f"{int((off > 1e-3).sum())} of {len(off)} crops start at another offset than torchvision's")


# Folders.


def one_each(folder, ending="png"):
    for label, name in enumerate(pictures.CLASSES):
        (folder / name).mkdir(parents=True)
        pictures.picture(label, np.random.default_rng(label)).save(folder / name / f"0.{ending}")


ENDINGS = {"tif": "TIFF", "TIFF": "TIFF", "jfif": "JPEG", "jpe": "JPEG", "JPEG": "JPEG", "": "PNG", "gif": "GIF"}


@asked("folder_of_many_endings", "F14")
def _endings(ask):
    """Images with unusual extensions are read, or a message counts them by extension."""
    folder = ask.fresh("endings")
    one_each(folder)
    for label, (ending, kind) in enumerate(ENDINGS.items()):
        for index in range(3):
            place = folder / "ash" / (f"{ending or 'none'}{index}" + (f".{ending}" if ending else ""))
            pictures.picture(label % 5, np.random.default_rng(index)).save(place, kind)
    done = ask.tailfold("classify", "--json", folder)
    rows = ask.rows(done)
    for ending in ENDINGS:
        answered = [name for name in rows if name.startswith(f"{ending or 'none'}")]
        if len(answered) != 3:
            ask.said(done.err, f".{ending}" if ending else "without", ending or "no ending")
    done = ask.tailfold("evaluate", "--json", "--data", f"folder:{folder}")
    counted, whole = json.loads(done.out)["images"] if done.status == 0 else 0, 5 + 3 * len(ENDINGS)
    if counted != whole and not any(name in done.err for name in ["no ending", *(f".{e}" for e in ENDINGS if e)]):
        ask.found.fails(f"`evaluate` takes {counted} of {whole} images and does not name the extensions of the others")
    ask.found.figures.append(f"{len(rows)} answered")


@asked("folder_class_of_unread_endings", "F14")
def _empty_class(ask):
    """A class without any readable extension is reported, not silently empty."""
    folder = ask.fresh("scans")
    one_each(folder)
    os.replace(folder / "fir/0.png", folder / "fir/0.heic")
    done = ask.tailfold("evaluate", "--data", f"folder:{folder}")
    ask.said(done.err, "heic")
    done = ask.quantize("--calibration", f"folder:{folder}", "--out", ask.folder / "int8.onnx")
    ask.said(done.err, "heic", "fir")
    ask.found.figures.append(f"quantize exit {done.status}")


@asked("folder_hidden_files", "F14")
def _hidden(ask):
    """Hidden files, copies in hidden folders, and desktop files are not counted as images."""
    folder = ask.fresh("hidden")
    one_each(folder)
    for name in pictures.CLASSES:
        for extra in ("._0.png", ".DS_Store", "Thumbs.db", "desktop.ini"):
            (folder / name / extra).write_bytes(b"\0\5\x16\7")
        place = folder / name / ".ipynb_checkpoints"
        place.mkdir()
        shutil.copy(folder / name / "0.png", place / "0-checkpoint.png")
    (folder / ".ipynb_checkpoints").mkdir()
    shutil.copy(folder / "ash/0.png", folder / ".ipynb_checkpoints/0-checkpoint.png")
    (folder / "desktop.ini").write_text("[.ShellClassInfo]\n")
    done = ask.tailfold("evaluate", "--json", "--data", f"folder:{folder}")
    if ask.found.ended(done) and json.loads(done.out)["images"] != 5:
        ask.found.fails(f"`evaluate` counts {json.loads(done.out)['images']} images, expected 5")
    done = ask.tailfold("classify", "--json", folder)
    rows = ask.rows(done)
    if done.status != 0 or sorted(rows) != ["0.png"] or len(json.loads(done.out)["images"]) != 5:
        ask.found.fails(f"`classify` answers {sorted(rows)}: {done.reason()}")


@asked("folder_macosx", "F14")
def _macosx(ask):
    """A folder `__MACOSX` beside the classes is skipped, or an error names it."""
    folder = ask.fresh("zip")
    one_each(folder)
    (folder / "__MACOSX/ash").mkdir(parents=True)
    (folder / "__MACOSX/ash/._0.png").write_bytes(b"\0\5\x16\7")
    done = ask.tailfold("evaluate", "--json", "--data", f"folder:{folder}")
    if done.status != 0:
        ask.refused(done, "__MACOSX")


@asked("folder_of_splits_without_a_split", "F14")
def _splits(ask):
    """A folder of the splits `train` and `test` is refused: they are not classes."""
    done = ask.tailfold("evaluate", "--data", f"folder:{ask.material.pictures}")
    ask.refused(done, "split")
    done = ask.quantize("--calibration", f"folder:{ask.material.pictures}", "--out", ask.folder / "int8.onnx")
    ask.refused(done, "split")


@asked("folder_split_in_capitals", "F14")
def _capitals(ask):
    """`?split=test` reads a folder called `Test`, or the error names it."""
    folder = ask.fresh("capitals")
    shutil.copytree(ask.material.pictures / "test", folder / "Test")
    done = ask.tailfold("evaluate", "--data", f"folder:{folder}?split=test")
    if done.status != 0:
        ask.refused(done, "Test")


# Lists and class names.


@asked("list_with_a_byte_order_mark", "F22")
def _list_mark(ask):
    folder = ask.fresh("list")
    one_each(folder)
    # A list of images without class names calls its classes by their numbers.
    numbers = folder / "labels.txt"
    numbers.write_text("".join(f"{label}\n" for label in range(len(pictures.CLASSES))))
    flags = preparation(ask.case, numbers)
    lines = [f"{name}/0.png {label}" for label, name in enumerate(pictures.CLASSES)]
    for name, text in {"plain": "\n".join(lines), "mark": "\ufeff" + "\n".join(lines), "crlf": "\r\n".join(lines) + "\r\n"}.items():
        (folder / f"{name}.txt").write_bytes(text.encode())
        done = ask.tailfold("evaluate", "--json", "--data", f"list:{folder / name}.txt@{folder}", flags=flags)
        if done.status == 0 and json.loads(done.out)["images"] == 5:
            ask.found.figures.append(f"{name} read")
        elif name == "mark":
            ask.refused(done, "byte order mark", "BOM")
        else:
            ask.found.fails(done.reason())


NAMES = "\n".join(pictures.CLASSES)
# Contents of a file of class names, and words of the refusal; None: `classify` answers with these names.
LABELS = {
    "mark": ("\ufeff" + NAMES, None),
    "crlf": (NAMES.replace("\n", "\r\n") + "\r\n", None),
    "no_last_newline": (NAMES, None),
    "letters": (NAMES.replace("ash", "Ésche, gemeine"), None),
    "twice": (NAMES.replace("elm", "ash"), None),
    "four": ("\n".join(pictures.CLASSES[:4]), ("4", "5")),
    "six": (NAMES + "\ngum", ("6", "5")),
    "line_without_name": (NAMES.replace("elm", ""), ("line 4",)),
    "empty": ("", ("no class", "names")),
}


@asked("class_names", "F22")
def _labels(ask):
    """Byte order marks and line ends are not part of a name; a duplicate name is a warning; missing or surplus names are refused."""
    for name, (text, words) in LABELS.items():
        path = ask.folder / f"labels.{name}.txt"
        path.write_bytes(text.encode())
        flags = preparation(ask.case, path)
        done = ask.tailfold("classify", "--json", ask.material.pictures / "test/ash/000.png", flags=flags)
        if words:
            ask.refused(done, *words)
            continue
        top = next(iter(ask.rows(done).values()), {}).get("top", [{}])
        if top[0].get("name") != text.strip("\ufeff").splitlines()[0]:
            ask.found.fails(f"labels.{name}: {top[0].get('class')!r}, {done.reason()}")
        if name == "twice":
            ask.said(done.err, "class `ash` is on lines 1 and 4: answers show the same name for both")


ARGUMENTS = {
    "mean_of_two": (["--mean", "0.5,0.5", "--std", "0.25,0.25"], ("mean", "2")),
    "mean_of_bytes": (["--mean", "127,127,127", "--std", "128,128,128"], ("127",)),
    "std_of_zero": (["--mean", "0.5,0.5,0.5", "--std", "0.25,0,0.25"], ("std", "0")),
    "std_negative": (["--mean", "0.5,0.5,0.5", "--std=-0.25,0.25,0.25"], ("std", "-0.25")),
    "mean_nan": (["--mean", "nan,0.5,0.5", "--std", "0.25,0.25,0.25"], ("mean", "NaN")),
    "std_infinite": (["--mean", "0.5,0.5,0.5", "--std", "inf,0.25,0.25"], ("std", "inf")),
}


@asked("odd_means_and_deviations", "F28")
def _numbers(ask):
    """Invalid means and standard deviations are refused; for those on the 0..255 scale a warning is enough."""
    for name, (flags, words) in ARGUMENTS.items():
        given = ["--labels", ask.material.labels, *flags]
        for done in (
            ask.tailfold("classify", ask.material.pictures / "test/ash/000.png", flags=given),
            ask.quantize("--calibration", ask.material.spec("train"), "--out", ask.folder / "odd.onnx", flags=flags),
        ):
            if name == "mean_of_bytes" and done.status == 0:
                ask.said(done.err, *words)
            else:
                ask.refused(done, *words)


# Files that are written.


@asked("output_over_the_model", "F18")
def _over(ask):
    """`--out` never overwrites the float model, also through a symbolic or hard link."""
    content = ask.model.read_bytes()
    link, hard = ask.folder / "link.onnx", ask.folder / "hard.onnx"
    for path in (link, hard):
        path.unlink(missing_ok=True)
    link.symlink_to(ask.model)
    os.link(ask.model, hard)
    for out in (ask.model, ask.folder / "." / "case.onnx", link, hard):
        done = ask.quantize("--calibration", ask.material.spec("train"), "--out", out)
        if ask.model.read_bytes() != content:
            ask.model.write_bytes(content)
            ask.found.fails(f"--out {out.name} overwrote the model: exit {done.status}")
        elif out == hard:
            continue
        else:
            ask.refused(done, "--out", "over", "same file")


@asked("output_in_a_new_folder", "F28")
def _new_folder(ask):
    out = ask.folder / "a" / "b" / "int8.onnx"
    shutil.rmtree(ask.folder / "a", ignore_errors=True)
    done = ask.quantize("--calibration", ask.material.spec("train"), "--out", out)
    if done.status == 0 and out.is_file():
        ask.found.figures.append("made")
    else:
        ask.refused(done, "a/b", "folder", "directory")
