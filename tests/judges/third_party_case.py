"""The definition of a case (a network in a plain and an odd form, and the expected outcome), and all cases."""

from dataclasses import dataclass, field


@dataclass
class Case:
    name: str
    kind: str
    build: object
    # Expected outcome. `twin`: the odd form gives the answers of the plain form. `refused`: exit 2, one of `words` in
    # the message, and no file written. `either`: one of these two.
    outcome: str = "twin"
    # The message of a refusal has to contain one of these.
    words: tuple = ()
    opset: int = 13
    ir: int = 8
    # Opset of the plain form; `opset` is for the odd form.
    plain_opset: int = 13
    batch: object = "N"
    mean: str = "0.5,0.5,0.5"
    std: str = "0.25,0.25,0.25"
    # Further flags that describe the model.
    flags: tuple = ()
    # Whether every layer with weights of the INT8 file has to run in integers.
    integer: bool = True
    # Whether the case is quantized, and words of a refusal that is accepted in place of an INT8 file.
    quantize: bool = True
    quantize_words: tuple = ()
    # Kind of the outputs: `logits`, `log` (log-probabilities), `probabilities` or `independent` probabilities.
    # `classify` has to show probabilities unchanged.
    says: str = "logits"
    # Largest accepted error of a float logit, relative to the largest logit.
    tolerance: float = 1e-4
    # Smallest accepted top-1 agreement of the INT8 file with the float model.
    agreement: float = 0.96
    # Source of the expected answer. `onnxruntime`: the plain form, and ONNX Runtime has to confirm it on the odd form.
    # `twin`: the plain form only, because ONNX Runtime does not run the odd form. `case`: the odd form.
    reference: str = "onnxruntime"
    # Changes the written file: `after(folder, model)` writes case.onnx in place of the default code.
    after: object = None
    # Name of the output with the scores, if it is not the first.
    output: str = ""
    extra: dict = field(default_factory=dict)


CASES = {}


def case(name, kind, **options):
    """Registers a builder `build(graph)`, which builds the odd form if `graph.odd`, and the plain form otherwise."""

    def register(build):
        if name in CASES:
            raise ValueError(f"two cases are called {name}")
        CASES[name] = Case(name, kind, build, **options)
        return build

    return register
