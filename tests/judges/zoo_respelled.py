"""Rewrites exported networks into the form that tf2onnx gives to Keras networks: channels last.

    python tests/judges/zoo_respelled.py FOLDER

Reads `ARCH-torchscript.onnx` in FOLDER and writes `ARCH-keras.onnx`: an input `[N, H, W, 3]` with a Transpose after it, the
padding of convolutions as Pad nodes, GlobalAveragePool as a ReduceMean over axes 1 and 2 of channels last, dense layers as
MatMul and Add, and a Softmax at the end. `ARCH-keras.npy` has ONNX Runtime's answers to the same photos.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from zoo_networks import RESPELLED


class Respelling:
    """A graph that is rewritten node by node; one node may become several."""

    def __init__(self, model):
        self.model, self.graph = model, model.graph
        self.constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in self.graph.initializer}
        self.nodes, self.count = [], 0

    def constant(self, values):
        self.count += 1
        name = f"const_fold_opt__{self.count}"
        self.graph.initializer.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def add(self, kind, inputs, output=None, **attributes):
        self.count += 1
        output = output or f"StatefulPartitionedCall/{kind}__{self.count}:0"
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output.split(":")[0], **attributes))
        return output

    def convolution(self, node):
        pads = next((list(a.ints) for a in node.attribute if a.name == "pads"), [0] * 4)
        if any(pads):
            ends = self.constant(np.array([0, 0, *pads[:2], 0, 0, *pads[2:]], np.int64))
            padded = self.add("Pad", [node.input[0], ends])
            node.input[0] = padded
            next(a for a in node.attribute if a.name == "pads").ints[:] = [0] * 4
        self.nodes.append(node)

    def mean(self, node):
        last = self.add("Transpose", [node.input[0]], perm=[0, 2, 3, 1])
        mean = self.add("ReduceMean", [last], axes=[1, 2], keepdims=1)
        self.add("Transpose", [mean], node.output[0], perm=[0, 3, 1, 2])

    def dense(self, node, last):
        weight, bias = (self.constants[name] for name in node.input[1:3])
        product = self.add("MatMul", [node.input[0], self.constant(np.ascontiguousarray(weight.T))])
        if last:
            logits = self.add("Add", [product, self.constant(bias)])
            self.add("Softmax", [logits], node.output[0], axis=-1)
        else:
            self.add("Add", [product, self.constant(bias)], node.output[0])

    def input(self):
        """Makes the input of the graph channels last."""
        entry = self.graph.input[0]
        name, shape = entry.name, entry.type.tensor_type.shape
        height = shape.dim[2].dim_value
        entry.CopyFrom(helper.make_tensor_value_info("keras_tensor", onnx.TensorProto.FLOAT, ["unk__1", height, height, 3]))
        self.add("Transpose", ["keras_tensor"], name, perm=[0, 3, 1, 2])

    def rewritten(self):
        self.input()
        result = self.graph.output[0].name
        for node in list(self.graph.node):
            if node.op_type == "Conv":
                self.convolution(node)
            elif node.op_type == "GlobalAveragePool":
                self.mean(node)
            elif node.op_type == "Gemm":
                self.dense(node, result in node.output)
            else:
                self.nodes.append(node)
        del self.graph.node[:]
        self.graph.node.extend(self.nodes)
        used = {name for node in self.nodes for name in node.input}
        kept = [tensor for tensor in self.graph.initializer if tensor.name in used]
        del self.graph.initializer[:]
        self.graph.initializer.extend(kept)
        self.model.producer_name = "tf2onnx"
        del self.graph.value_info[:]
        onnx.checker.check_model(self.model, full_check=True)
        return self.model


def main(folder):
    listing = folder / "zoo.json"
    rows = {row["file"]: row for row in json.loads(listing.read_text())}
    for name in RESPELLED:
        source = rows.get(f"{name}-torchscript.onnx")
        if not source:
            continue
        path = folder / f"{name}-keras.onnx"
        onnx.save(Respelling(onnx.load(folder / source["file"])).rewritten(), path)
        inputs = np.load(folder / f"inputs-{source['size']}.npy").transpose(0, 2, 3, 1)
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        found = session.run(None, {"keras_tensor": np.ascontiguousarray(inputs)})[0]
        np.save(path.with_suffix(".npy"), found)
        logits = np.load(folder / source["file"].replace(".onnx", ".npy"))
        if (found.argmax(axis=1) != logits.argmax(axis=1)).any():
            raise SystemExit(f"the decisions of {path.name} differ from {source['file']}")
        operators = sorted({node.op_type for node in onnx.load(path).graph.node})
        rows[path.name] = {**source, "file": path.name, "exporter": "keras", "operators": operators}
        print(f"ok {path.stem}: decisions equal to {source['file']}")
    listing.write_text(json.dumps(sorted(rows.values(), key=lambda row: row["file"]), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
