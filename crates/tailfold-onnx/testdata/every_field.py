"""Writes every_field.onnx: a message in which every field of the ONNX format is set.

Made with onnx 1.23.2 (IR version 14): `python every_field.py`. No valid model, only a file that tells a reader which
fields it forgets. Values are distinct, so that two fields cannot stand for each other.
"""

import itertools
import pathlib

import onnx
from google.protobuf.descriptor import FieldDescriptor

counter = itertools.count(1)
filled = set()


def scalar(field):
    number = next(counter)
    kind = field.type
    if kind == FieldDescriptor.TYPE_STRING:
        return f"s{number}"
    if kind == FieldDescriptor.TYPE_BYTES:
        return b"b%d\xff" % number
    if kind == FieldDescriptor.TYPE_ENUM:
        return field.enum_type.values[-1].number
    return number


def fill(message):
    """Sets every field; a kind of message that was filled before gets only its scalars."""
    descriptor = message.DESCRIPTOR
    full = descriptor.full_name not in filled
    filled.add(descriptor.full_name)
    for field in descriptor.fields:
        if field.containing_oneof and message.WhichOneof(field.containing_oneof.name):
            continue
        nested = field.message_type
        if not full and (nested or field.is_repeated):
            continue
        value = getattr(message, field.name)
        if field.is_repeated and nested:
            fill(value.add())
        elif field.is_repeated:
            value.extend([scalar(field), scalar(field)])
        elif nested:
            value.SetInParent()
            fill(value)
        else:
            setattr(message, field.name, scalar(field))


def alternatives():
    """The members of each oneof, which a single message cannot hold together."""
    inner = onnx.TypeProto(denotation="inner")
    inner.tensor_type.elem_type = 7
    types = [onnx.TypeProto() for _ in range(6)]
    types[0].tensor_type.shape.dim.add(dim_value=3, denotation="d")
    types[0].tensor_type.shape.dim.add(dim_param="N")
    types[1].sequence_type.elem_type.CopyFrom(inner)
    types[2].map_type.key_type = 8
    types[2].map_type.value_type.CopyFrom(inner)
    types[3].optional_type.elem_type.CopyFrom(inner)
    types[4].sparse_tensor_type.elem_type = 1
    types[4].sparse_tensor_type.shape.dim.add(dim_value=4)
    types[5].opaque_type.domain = "opaque domain"
    types[5].opaque_type.name = "opaque name"
    return types


model = onnx.ModelProto()
fill(model)
for kind in alternatives():
    model.graph.value_info.add(type=kind)
sharding = model.graph.node[0].device_configurations[0].sharding_spec[0].sharded_dim[0]
sharding.simple_sharding.add(dim_param="sharded", num_shards=0)
# Present and zero is not the same as absent.
model.graph.node[0].attribute.add(name="", f=0.0, i=0, s=b"", type=onnx.AttributeProto.INT)
pathlib.Path(__file__).with_suffix(".onnx").write_bytes(model.SerializeToString(deterministic=True))
