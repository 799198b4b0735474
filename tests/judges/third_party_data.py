"""Pictures, folders, lists, class names and arguments that are not as they should be, and the gate's odd numbers."""

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
    """A case of the plain model whose function asks the programs itself: `ask(session)`."""

    def register(ask):
        def judge(case, folder, right, material, programs, found):
            ask(Asking(case, folder, right, material, programs, found))

        case(name, kind, extra={"judge": judge}, reference="case", **options)(plain)
        return ask

    return register


class Asking:
    """What a case needs: its folder, the programs, and where findings go."""

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
        return self.programs.run("tailfold-quant", "--model", self.model, *flags, *arguments)

    def rows(self, done):
        """Answers by file name, of `classify --json`."""
        try:
            return {row["file"].rsplit("/", 1)[-1]: row for row in json.loads(done.out)["images"]}
        except (ValueError, KeyError):
            self.found.fails(f"no JSON: {done.reason()}")
            return {}

    def refused(self, done, *words):
        """Whether a program ended with 2 and one of the words."""
        if done.status != 2:
            self.found.fails(f"has to be refused: {done.reason()}")
        elif words and not any(word in done.err for word in words):
            self.found.fails(f"does not say {' or '.join(words)}: {done.reason()}")
        else:
            self.found.figures.append("refused")
            return True
        return False

    def said(self, text, *words):
        """Notes a failure unless one of the words is in `text`."""
        if not any(word in text for word in words):
            self.found.fails(f"nothing says {' or '.join(words)}: {text[-200:]!r}")


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
    """A part of a file is no other picture: a row with `error`, exit 1; the whole one is answered."""
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
        ask.found.fails(f"{len(answered)} of {len(JPEGS) + len(OTHERS)} whole pictures are answered: {done.reason()}")
    done = ask.tailfold("classify", "--json", folder, flags=flags)
    rows = ask.rows(done)
    taken = sorted(name for name, row in rows.items() if "top" in row)
    if taken or done.status != 1:
        ask.found.fails(f"exit {done.status}; cut and answered all the same: {' '.join(taken)}")
    ask.found.figures.append(f"{len(rows)} cut, {len(answered)} whole")


@asked("picture_cut_while_calibrating", "F9")
def _cut_in_training(ask):
    """A cut JPEG among the calibration images is an error that names it, or is left out with a word."""
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
    """Bytes behind the end of a JPEG do no harm, as cameras add them."""
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
    """The crop begins where torchvision's does: half to even."""
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
        ask.found.fails(f"{int((off > 1e-3).sum())} of {len(off)} crops begin elsewhere than torchvision's")


# Folders.


def one_each(folder, ending="png"):
    for label, name in enumerate(pictures.CLASSES):
        (folder / name).mkdir(parents=True)
        pictures.picture(label, np.random.default_rng(label)).save(folder / name / f"0.{ending}")


ENDINGS = {"tif": "TIFF", "TIFF": "TIFF", "jfif": "JPEG", "jpe": "JPEG", "JPEG": "JPEG", "": "PNG", "gif": "GIF"}


@asked("folder_of_many_endings", "F14")
def _endings(ask):
    """Pictures of other endings are read, or it is said how many of which ending were left out."""
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
        ask.found.fails(f"`evaluate` takes {counted} of {whole} images and does not say of which ending it left some out")
    ask.found.figures.append(f"{len(rows)} answered")


@asked("folder_class_of_unread_endings", "F14")
def _empty_class(ask):
    """A class whose files all have other endings does not become empty in silence."""
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
    """Copies in hidden folders and the files of desktops are no images."""
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
        ask.found.fails(f"`evaluate` counts {json.loads(done.out)['images']} images of 5")
    done = ask.tailfold("classify", "--json", folder)
    rows = ask.rows(done)
    if done.status != 0 or sorted(rows) != ["0.png"] or len(json.loads(done.out)["images"]) != 5:
        ask.found.fails(f"`classify` answers {sorted(rows)}: {done.reason()}")


@asked("folder_macosx", "F14")
def _macosx(ask):
    """`__MACOSX` beside the classes is named, or not counted."""
    folder = ask.fresh("zip")
    one_each(folder)
    (folder / "__MACOSX/ash").mkdir(parents=True)
    (folder / "__MACOSX/ash/._0.png").write_bytes(b"\0\5\x16\7")
    done = ask.tailfold("evaluate", "--json", "--data", f"folder:{folder}")
    if done.status != 0:
        ask.refused(done, "__MACOSX")


@asked("folder_of_splits_without_a_split", "F14")
def _splits(ask):
    """`train` and `test` are no classes."""
    done = ask.tailfold("evaluate", "--data", f"folder:{ask.material.pictures}")
    ask.refused(done, "split")
    done = ask.quantize("--calibration", f"folder:{ask.material.pictures}", "--out", ask.folder / "int8.onnx")
    ask.refused(done, "split")


@asked("folder_split_in_capitals", "F14")
def _capitals(ask):
    """`?split=test` of a folder `Test`: read, or shown."""
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
    # A list without a file of names gives its classes numbers.
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
# Contents of a file of class names, and what comes of it: None is an answer by the five names.
LABELS = {
    "mark": ("\ufeff" + NAMES, None),
    "crlf": (NAMES.replace("\n", "\r\n") + "\r\n", None),
    "no_last_newline": (NAMES, None),
    "letters": (NAMES.replace("ash", "Ésche, gemeine"), None),
    "twice": (NAMES.replace("elm", "ash"), ("ash",)),
    "four": ("\n".join(pictures.CLASSES[:4]), ("4", "5")),
    "six": (NAMES + "\ngum", ("6", "5")),
    "line_without_name": (NAMES.replace("elm", ""), ("line 4",)),
    "empty": ("", ("no class", "names")),
}


@asked("class_names", "F22")
def _labels(ask):
    """Byte order marks and line ends are no part of a name; names twice, too few or too many are refused."""
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
    """Refused; means of bytes at least with a warning."""
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
    """The float model is never written over, by whichever name."""
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
            ask.found.fails(f"--out {out.name} wrote over the model: exit {done.status}")
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
