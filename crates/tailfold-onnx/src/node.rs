//! Nodes and their attributes: creation and lookup.

use crate::proto::{AttributeProto, AttributeType, NodeProto};

/// Converts input or output names, as [`NodeProto::new`] takes them.
fn names<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Vec<String> {
    names.into_iter().map(Into::into).collect()
}

impl NodeProto {
    /// Creates a node of the standard operator `op`; an empty input name omits an optional input.
    pub fn new<I: Into<String>, O: Into<String>>(
        op: &str,
        name: impl Into<String>,
        inputs: impl IntoIterator<Item = I>,
        outputs: impl IntoIterator<Item = O>,
    ) -> Self {
        Self {
            input: names(inputs),
            output: names(outputs),
            name: Some(name.into()),
            op_type: Some(op.to_owned()),
            ..Self::default()
        }
    }

    /// Adds the integer attribute `name`.
    #[must_use]
    pub fn attr_int(self, name: &str, value: i64) -> Self {
        self.attr(AttributeProto {
            i: Some(value),
            ..AttributeProto::named(name, AttributeType::Int)
        })
    }

    /// Adds the attribute `name`, a list of integers.
    #[must_use]
    pub fn attr_ints(self, name: &str, values: &[i64]) -> Self {
        self.attr(AttributeProto {
            ints: values.to_vec(),
            ..AttributeProto::named(name, AttributeType::Ints)
        })
    }

    /// Adds the float attribute `name`.
    #[must_use]
    pub fn attr_float(self, name: &str, value: f32) -> Self {
        self.attr(AttributeProto {
            f: Some(value),
            ..AttributeProto::named(name, AttributeType::Float)
        })
    }

    /// Adds the string attribute `name`.
    #[must_use]
    pub fn attr_str(self, name: &str, value: &str) -> Self {
        self.attr(AttributeProto {
            s: Some(value.as_bytes().to_vec()),
            ..AttributeProto::named(name, AttributeType::String)
        })
    }

    /// Adds `attribute`, and removes an attribute of the same name.
    #[must_use]
    pub fn attr(mut self, attribute: AttributeProto) -> Self {
        self.attribute.retain(|a| a.name() != attribute.name());
        self.attribute.push(attribute);
        self
    }

    /// Returns the attribute `name`.
    pub fn find_attr(&self, name: &str) -> Option<&AttributeProto> {
        self.attribute.iter().find(|a| a.name() == name)
    }

    /// Returns the value of the integer attribute `name`.
    pub fn int(&self, name: &str) -> Option<i64> {
        self.find_attr(name)?.i
    }

    /// Returns the value of the attribute `name`, a list of integers.
    pub fn ints(&self, name: &str) -> Option<&[i64]> {
        let attribute = self.find_attr(name)?;
        (attribute.kind() == AttributeType::Ints).then_some(&attribute.ints)
    }

    /// Returns the value of the float attribute `name`.
    pub fn float(&self, name: &str) -> Option<f32> {
        self.find_attr(name)?.f
    }

    /// Returns whether the node is the standard operator `op`.
    pub fn is(&self, op: &str) -> bool {
        self.op_type() == op && matches!(self.domain(), "" | "ai.onnx")
    }

    /// Returns the name for messages: the name of the node, or else the name of its first output.
    pub fn label(&self) -> &str {
        match self.name() {
            "" => self.output.first().map_or("", String::as_str),
            name => name,
        }
    }
}

impl AttributeProto {
    /// Creates an attribute of type `kind` without a value.
    pub fn named(name: &str, kind: AttributeType) -> Self {
        Self {
            name: Some(name.to_owned()),
            kind: Some(kind.into()),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_replaced_and_read() {
        let node = NodeProto::new("Conv", "", ["x", "w", ""], ["y"])
            .attr_int("group", 2)
            .attr_ints("pads", &[1, 2])
            .attr_float("alpha", 0.5)
            .attr_str("auto_pad", "NOTSET")
            .attr_int("group", 3);
        assert_eq!(node.int("group"), Some(3));
        assert_eq!(node.ints("pads"), Some(&[1, 2][..]));
        assert_eq!(node.ints("group"), None);
        assert_eq!(node.float("alpha"), Some(0.5));
        assert_eq!(node.find_attr("auto_pad").unwrap().s(), b"NOTSET");
        assert_eq!(node.attribute.len(), 4);
        assert_eq!(node.label(), "y");
        assert!(node.is("Conv") && !node.is("Gemm"));
    }
}
