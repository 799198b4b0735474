"""One case: a network in two spellings, what has to come of the other one, and the list of all cases."""

from dataclasses import dataclass, field

# How a case may end. `twin`: answers as the plain form. `refused`: exit 2 with one of the words, nothing written.
# `either`: one of both. `answers`: as ONNX Runtime answers, without a plain form.
OUTCOMES = ["twin", "refused", "either"]


@dataclass
class Case:
    name: str
    kind: str
    build: object
    outcome: str = "twin"
    # One of these has to be in the message of a refusal.
    words: tuple = ()
    opset: int = 13
    ir: int = 8
    # Opset of the plain form.
    plain_opset: int = 13
    batch: object = "N"
    mean: str = "0.5,0.5,0.5"
    std: str = "0.25,0.25,0.25"
    # More flags of the model's own.
    flags: tuple = ()
    # Whether every layer with weights of the INT8 file has to run in integers.
    integer: bool = True
    # Whether the INT8 file is made and tried at all, and words of a refusal that is as good as the file.
    quantize: bool = True
    quantize_words: tuple = ()
    # What the outputs are: `logits`, `probabilities` that classify has to show as they are, `independent` ones.
    says: str = "logits"
    # Largest difference of a float logit, as a share of the largest.
    tolerance: float = 1e-4
    # Smallest share of pictures that the INT8 file has to decide as the float model.
    agreement: float = 0.96
    # Opsets and forms that ONNX Runtime itself does not run: the answer is the twin's alone.
    reference: str = "onnxruntime"
    # Changes the written file: `after(folder, model)` writes case.onnx itself.
    after: object = None
    # Where the name of the output that counts is not the first.
    output: str = ""
    prepare: object = None
    extra: dict = field(default_factory=dict)


CASES = {}


def case(name, kind, **options):
    """Registers a builder `build(graph)`; `graph.odd` says which spelling is asked for."""

    def register(build):
        if name in CASES:
            raise ValueError(f"two cases are called {name}")
        CASES[name] = Case(name, kind, build, **options)
        return build

    return register
