//! Graphs and the types of values: looking things up and putting them in.

use crate::proto::{
    DataType, Dimension, DimensionValue, GraphProto, NodeProto, TensorProto, TensorShapeProto,
    TensorType, TypeProto, TypeValue, ValueInfoProto,
};

impl GraphProto {
    /// The initializer `name`.
    pub fn find_initializer(&self, name: &str) -> Option<&TensorProto> {
        self.initializer.iter().find(|t| t.name() == name)
    }

    /// Puts `tensor` in the place of the initializer of the same name, or after the others.
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

    /// Takes the initializer `name` out.
    pub fn remove_initializer(&mut self, name: &str) -> Option<TensorProto> {
        let at = self.initializer.iter().position(|t| t.name() == name)?;
        Some(self.initializer.remove(at))
    }

    /// The node that makes the value `name`; `None` for inputs and initializers.
    pub fn producer(&self, name: &str) -> Option<&NodeProto> {
        self.node
            .iter()
            .find(|n| n.output.iter().any(|o| o == name))
    }

    /// The nodes that read the value `name`.
    pub fn consumers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a NodeProto> {
        self.node
            .iter()
            .filter(move |n| n.input.iter().any(|i| i == name))
    }

    /// Type of the value `name`, as far as the file says it.
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
    /// A dense tensor called `name`.
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

    /// Element type and shape; `None` for what is not a dense tensor.
    pub fn tensor_type(&self) -> Option<&TensorType> {
        match self.r#type.as_ref()?.value.as_ref()? {
            TypeValue::Tensor(tensor) => Some(tensor),
            _ => None,
        }
    }

    /// Type of a dense tensor's elements.
    pub fn element(&self) -> Option<DataType> {
        DataType::try_from(self.tensor_type()?.elem_type()).ok()
    }

    /// The shape of a dense tensor, `None` where a length is a symbol or unknown; `None` when the rank is unknown.
    pub fn shape(&self) -> Option<Vec<Option<usize>>> {
        let shape = self.tensor_type()?.shape.as_ref()?;
        Some(shape.dim.iter().map(Dimension::length).collect())
    }
}

impl Dimension {
    /// A known length.
    pub fn fixed(length: usize) -> Self {
        Self {
            value: Some(DimensionValue::Length(length as i64)),
            denotation: None,
        }
    }

    /// A length named `symbol`, the same wherever the symbol appears.
    pub fn symbol(symbol: &str) -> Self {
        Self {
            value: Some(DimensionValue::Symbol(symbol.to_owned())),
            denotation: None,
        }
    }

    /// The name of a length that is not known.
    pub fn name(&self) -> Option<&str> {
        match &self.value {
            Some(DimensionValue::Symbol(name)) if !name.is_empty() => Some(name),
            _ => None,
        }
    }

    /// The length when it is known; some tools write 0 or -1 for one that is not.
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
    fn values_are_found_with_their_neighbours() {
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
