//! Searches in a made-up network of layers `layer0` to `layer5` in a row, each with a tensor of its name and a
//! quantization.

use tailfold_spec::Logits;

use super::{
    Decibel, ExchangedPart, Models, NoiseOf, Part, Sample, Subject, Tensor, Trace, bisect,
};

const LAYERS: usize = 6;

/// A made-up network with a fault in one part.
struct Made {
    sample: Sample,
    /// Kind and layer of the faulty part.
    planted: (Part, usize),
    /// Signal-to-noise ratio of the faulty part alone.
    planted_db: Decibel,
    /// Whether the faulty part is the only cause of the flips.
    is_alone: bool,
    runs: usize,
}

fn layer(at: usize) -> String {
    format!("layer{at}")
}

/// Number of the tensor `name`; 0 for the image.
fn number(name: &str) -> usize {
    match name.strip_prefix("layer") {
        Some(at) => at.parse::<usize>().unwrap() + 1,
        None => 0,
    }
}

impl Made {
    fn new(part: Part, layer: usize, planted_db: Decibel) -> Self {
        let row = |flip: bool| if flip { [0.0_f32, 1.0] } else { [1.0, 0.0] };
        let of = |flips: usize| {
            let values = (0..100).flat_map(|image| row(image < flips)).collect();
            Logits::new(values, 2).unwrap()
        };
        Self {
            sample: Sample::draw(&of(0), &of(20)).unwrap(),
            planted: (part, layer),
            planted_db,
            is_alone: true,
            runs: 0,
        }
    }

    /// Decisions with `repaired` of the flips repaired.
    fn decisions(&mut self, repaired: usize) -> Vec<Option<usize>> {
        self.runs += self.sample.numbers().len();
        let flips = self.sample.flips();
        let of = |at: usize| usize::from(at < flips && at >= repaired);
        (0..self.sample.numbers().len())
            .map(|at| Some(of(at)))
            .collect()
    }

    fn part(part: Part, layer: usize) -> ExchangedPart<(Part, usize)> {
        ExchangedPart {
            part,
            name: format!("layer{layer}"),
            operator: "Conv".to_owned(),
            exchanged: (part, layer),
        }
    }

    fn search(&mut self) -> super::Finding {
        let sample = self.sample.clone();
        let subject = Subject {
            reference: "float.onnx",
            candidate: "int8.onnx",
            backend: "a back end",
        };
        bisect(self, &sample, &subject).unwrap()
    }
}

impl Models for Made {
    type Error = String;
    type Exchanged = (Part, usize);

    fn tensors(&self) -> Vec<Tensor> {
        let image = Tensor {
            name: "image".to_owned(),
            operator: None,
            node: None,
        };
        let layers = (0..LAYERS).map(|at| Tensor {
            name: layer(at),
            operator: Some("Conv".to_owned()),
            node: Some(layer(at)),
        });
        std::iter::once(image).chain(layers).collect()
    }

    fn reference_tensors(&self) -> usize {
        LAYERS + 3
    }

    fn separators(&self) -> Vec<String> {
        // A branch bypasses the second layer.
        let tensors = self.tensors().into_iter().map(|tensor| tensor.name);
        tensors.filter(|name| name != "layer1").collect()
    }

    fn nodes_between(&self, from: &str, to: &str) -> Vec<String> {
        (number(from)..number(to)).map(layer).collect()
    }

    fn parts_between(&self, from: &str, to: &str) -> Vec<ExchangedPart<(Part, usize)>> {
        let layers = number(from)..number(to);
        let parts =
            layers.flat_map(|at| [Part::Node, Part::Codes].map(|part| Self::part(part, at)));
        parts.collect()
    }

    fn part_of(&self, part: Part, tensor: &str) -> Option<ExchangedPart<(Part, usize)>> {
        Some(Self::part(part, number(tensor) - 1))
    }

    fn trace(&mut self) -> Result<Trace, String> {
        let db = |part, at: usize| match self.planted == (part, at) {
            true => self.planted_db,
            false => Decibel::Db(40.0 + at as f64),
        };
        let layers = (0..LAYERS).map(|at| NoiseOf {
            all: Decibel::Db(30.0),
            node: Some(db(Part::Node, at)),
            codes: Some(db(Part::Codes, at)),
        });
        let image = NoiseOf {
            all: Decibel::Exact,
            node: None,
            codes: None,
        };
        Ok(Trace {
            tensors: std::iter::once(image).chain(layers).collect(),
            images: 10,
        })
    }

    fn cut(&mut self, tensor: &str) -> Result<Vec<Option<usize>>, String> {
        // The float model up to the tensor repairs all flips once it includes the faulty layer.
        let repaired = match number(tensor) > self.planted.1 {
            true => self.sample.flips(),
            false => 3,
        };
        Ok(self.decisions(repaired))
    }

    fn exchange(
        &mut self,
        part: &ExchangedPart<(Part, usize)>,
    ) -> Result<Vec<Option<usize>>, String> {
        let is_fault = part.exchanged == self.planted && self.is_alone;
        let repaired = if is_fault { self.sample.flips() } else { 4 };
        Ok(self.decisions(repaired))
    }
}

#[test]
fn planted_layer_is_found_wherever_it_is() {
    for at in 0..LAYERS {
        let mut made = Made::new(Part::Node, at, Decibel::Db(9.0));
        let found = made.search();
        let culprit = found.culprit.as_ref().unwrap();
        assert_eq!((culprit.part, &culprit.name), (Part::Node, &layer(at)));
        let stretch = found.stretch.as_ref().unwrap();
        assert!(stretch.nodes.contains(&layer(at)), "{stretch:?}");
        // The branch around the second layer leaves two layers between two cuts.
        assert_eq!(stretch.nodes.len(), if at == 1 || at == 2 { 2 } else { 1 });
        assert_eq!(found.exchanges[0].counted.repaired, 20);
        assert!(found.conclusion.starts_with(&format!(
            "the flips come from the node `layer{at}` (Conv): replacing this part by the float model's repairs 20 of 20 flips; a cut at "
        )));
        assert_eq!(found.network_runs, made.runs + 30);
    }
}

#[test]
fn planted_quantization_is_found() {
    let found = Made::new(Part::Codes, 3, Decibel::NotFinite).search();
    let culprit = found.culprit.as_ref().unwrap();
    assert_eq!(
        (culprit.part, culprit.name.as_str()),
        (Part::Codes, "layer3")
    );
    assert_eq!(found.outliers.len(), 1);
}

#[test]
fn part_without_noise_of_its_own_is_no_culprit() {
    // Its exchange repairs all flips, as any change of the noise can repair images near a border.
    let found = Made::new(Part::Node, 3, Decibel::Db(43.0)).search();
    assert!(found.culprit.is_none() && found.outliers.is_empty());
    let sentence = "; no part's noise stands out, and the best exchange of a single part repairs 20 (the node `layer3`)";
    assert!(found.conclusion.ends_with(sentence), "{}", found.conclusion);
}

#[test]
fn outlier_that_does_not_repair_is_no_culprit() {
    let mut made = Made::new(Part::Node, 3, Decibel::Db(9.0));
    made.is_alone = false;
    let found = made.search();
    assert!(found.culprit.is_none());
    let sentence =
        "; the noise of the node `layer3` stands out, but exchanging this part alone repairs 4";
    assert!(found.conclusion.ends_with(sentence), "{}", found.conclusion);
}

#[test]
fn equal_models_are_not_run() {
    let mut made = Made::new(Part::Node, 3, Decibel::Db(9.0));
    let same = Logits::new(vec![1.0, 0.0], 2).unwrap();
    made.sample = Sample::draw(&same, &same).unwrap();
    let found = made.search();
    assert_eq!((found.flips, found.network_runs, made.runs), (0, 0, 0));
    assert!(found.tensors.is_empty() && found.stretch.is_none());
    assert!(found.conclusion.starts_with("no decision flips between"));
    let text = found.to_markdown();
    assert!(
        text.contains("- 0 of 1 images flip on a back end; looked at 0 of them"),
        "{text}"
    );
}

#[test]
fn text_has_one_row_per_tensor_and_cuts_at_separators() {
    let found = Made::new(Part::Node, 3, Decibel::Db(9.0)).search();
    let text = found.to_markdown();
    let row = |tensor: &str| {
        let start = format!("| {tensor} ");
        let row = text.lines().find(|line| line.starts_with(&start)).unwrap();
        let cells = row.split('|').map(|cell| cell.trim().to_owned());
        cells.skip(2).take(6).collect::<Vec<_>>()
    };
    assert_eq!(
        row("image"),
        ["input", "exact", "", "", "0 of 20", "0 of 20"]
    );
    assert_eq!(row("layer1"), ["Conv", "30.0", "41.0", "41.0", "", ""]);
    assert_eq!(
        row("layer3"),
        ["Conv", "30.0", "9.0", "43.0", "20 of 20", "0 of 20"]
    );
    assert_eq!(
        row("layer5"),
        ["Conv", "30.0", "45.0", "45.0", "20 of 20", "0 of 20"]
    );
    assert!(
        text.contains("- stands out, the node `layer3` alone: 9.0 dB, the median of nodes is 42.0")
    );
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["tensors"][0]["signal_to_noise_db"], "exact");
    assert_eq!(json["exchanges"][0]["repaired"], 20);
    assert_eq!(json.get("backend"), None);
}
