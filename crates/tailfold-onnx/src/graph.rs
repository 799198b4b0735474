//! Graphs and the types of values: lookup and changes.

use crate::proto::{
    DataType, Dimension, DimensionValue, GraphProto, NodeProto, TensorProto, TensorShapeProto,
    TensorType, TypeProto, TypeValue, ValueInfoProto,
};

impl GraphProto {
    /// Returns the initializer `name`.
    pub fn find_initializer(&self, name: &str) -> Option<&TensorProto> {
        self.initializer.iter().find(|t| t.name() == name)
    }

    /// Replaces the initializer of the same name by `tensor`, or appends `tensor`.
    pub fn set_initializer(&mut self, tensor: TensorProto) {
        match self
            .initializer
            .iter_mut()
            .find(|t| t.name() == tensor.name())
        {
            Some(old) => *old = tensor,
            None => self.initializer.push(tensor),
        }
    }

    /// Removes and returns the initializer `name`.
    pub fn remove_initializer(&mut self, name: &str) -> Option<TensorProto> {
        let at = self.initializer.iter().position(|t| t.name() == name)?;
        Some(self.initializer.remove(at))
    }

    /// Returns the node that produces the value `name`; `None` for inputs and initializers.
    pub fn producer(&self, name: &str) -> Option<&NodeProto> {
        self.node
            .iter()
            .find(|n| n.output.iter().any(|o| o == name))
    }

    /// Returns the nodes that read the value `name`.
    pub fn consumers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a NodeProto> {
        self.node
            .iter()
            .filter(move |n| n.input.iter().any(|i| i == name))
    }

    /// Returns the declared type of the value `name`, if the file declares one.
    pub fn find_value(&self, name: &str) -> Option<&ValueInfoProto> {
        let mut values = self
            .input
            .iter()
            .chain(&self.output)
            .chain(&self.value_info);
        values.find(|v| v.name() == name)
    }
}

impl ValueInfoProto {
    /// Declares a dense tensor called `name`.
    pub fn tensor(name: impl Into<String>, element: DataType, shape: Vec<Dimension>) -> Self {
        let tensor = TensorType {
            elem_type: Some(element.into()),
            shape: Some(TensorShapeProto { dim: shape }),
        };
        Self {
            name: Some(name.into()),
            r#type: Some(TypeProto {
                value: Some(TypeValue::Tensor(tensor)),
                denotation: None,
            }),
            ..Self::default()
        }
    }

    /// Returns element type and shape; `None` unless the value is a dense tensor.
    pub fn tensor_type(&self) -> Option<&TensorType> {
        match self.r#type.as_ref()?.value.as_ref()? {
            TypeValue::Tensor(tensor) => Some(tensor),
            _ => None,
        }
    }

    /// Returns the element type of a dense tensor.
    pub fn element(&self) -> Option<DataType> {
        DataType::try_from(self.tensor_type()?.elem_type()).ok()
    }

    /// Returns the shape of a dense tensor, with `None` for a symbolic or unknown length; `None` when the
    /// rank is unknown.
    pub fn shape(&self) -> Option<Vec<Option<usize>>> {
        let shape = self.tensor_type()?.shape.as_ref()?;
        Some(shape.dim.iter().map(Dimension::length).collect())
    }
}

impl Dimension {
    /// Returns a dimension of a known length.
    pub fn fixed(length: usize) -> Self {
        Self {
            value: Some(DimensionValue::Length(length as i64)),
            denotation: None,
        }
    }

    /// Returns a dimension whose length is named `symbol`; equal symbols have equal lengths.
    pub fn symbol(symbol: &str) -> Self {
        Self {
            value: Some(DimensionValue::Symbol(symbol.to_owned())),
            denotation: None,
        }
    }

    /// Returns the symbol of an unknown length.
    pub fn name(&self) -> Option<&str> {
        match &self.value {
            Some(DimensionValue::Symbol(name)) if !name.is_empty() => Some(name),
            _ => None,
        }
    }

    /// Returns the length if it is known; some tools write 0 or -1 for an unknown length.
    pub fn length(&self) -> Option<usize> {
        match self.value {
            Some(DimensionValue::Length(length)) if length > 0 => usize::try_from(length).ok(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initializers_are_replaced_in_place() {
        let mut graph = GraphProto::default();
        graph.set_initializer(TensorProto::new("a", &[1], &[1_i32]));
        graph.set_initializer(TensorProto::new("b", &[1], &[2_i32]));
        graph.set_initializer(TensorProto::new("a", &[2], &[3_i8, 4]));
        let names: Vec<_> = graph.initializer.iter().map(TensorProto::name).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(
            graph.find_initializer("a").unwrap().values::<i8>().unwrap(),
            [3, 4]
        );
        assert!(graph.remove_initializer("a").is_some());
        assert!(graph.find_initializer("a").is_none());
    }

    #[test]
    fn type_producer_and_consumers_of_a_value_are_found() {
        let mut graph = GraphProto::default();
        graph.node.push(NodeProto::new("Relu", "r", ["x"], ["y"]));
        graph
            .node
            .push(NodeProto::new("Add", "a", ["y", "y"], ["z"]));
        let shape = vec![
            Dimension::symbol("N"),
            Dimension::fixed(3),
            Dimension::default(),
            Dimension::fixed(0),
        ];
        graph
            .input
            .push(ValueInfoProto::tensor("x", DataType::Float, shape));
        assert_eq!(graph.producer("y").unwrap().name(), "r");
        assert!(graph.producer("x").is_none());
        assert_eq!(graph.consumers("y").count(), 1);
        let value = graph.find_value("x").unwrap();
        assert_eq!(value.shape().unwrap(), [None, Some(3), None, None]);
        assert_eq!(value.element(), Some(DataType::Float));
    }
}
