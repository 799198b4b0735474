"""The last layer of an exported graph, which is one Gemm with a bias."""

from onnx import helper, numpy_helper
from onnx_checker import Verdict


def find_head(model):
    """The Gemm that computes the model's output as `z W^T + b`."""
    [output] = model.graph.output
    makers = [node for node in model.graph.node if output.name in node.output]
    if [node.op_type for node in makers] != ["Gemm"] or len(makers[0].input) != 3:
        raise Verdict(f"no Gemm with a bias makes the output `{output.name}`")
    attributes = {"alpha": 1.0, "beta": 1.0, "transA": 0}
    attributes.update((a.name, helper.get_attribute_value(a)) for a in makers[0].attribute)
    if attributes != {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 1}:
        raise Verdict(f"the head's attributes are {attributes}")
    return makers[0]


def constant(model, name):
    """A float initializer as an array."""
    for tensor in model.graph.initializer:
        if tensor.name == name:
            array = numpy_helper.to_array(tensor)
            if array.dtype != "float32":
                raise Verdict(f"`{name}` is {array.dtype}, expected float32")
            return array
    raise Verdict(f"`{name}` is not an initializer")
