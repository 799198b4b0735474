//! Speed of each step of an integer program, relative to the peak rate of the processor.

use std::sync::Arc;
use std::time::Instant;

use anyhow::bail;
use serde::Serialize;
use tailfold_integer::Region;
use tailfold_kernels::peak;
use tailfold_spec::ImageBatch;

/// One step of an integer program.
#[derive(Debug, Serialize)]
pub(super) struct Layer {
    pub(super) name: String,
    pub(super) kernel: &'static str,
    /// Shortest time over all runs.
    pub(super) micros: f64,
    /// Number by the definition of the layer; the kernel may need fewer.
    pub(super) multiply_accumulates: u64,
    /// Multiply-accumulates per second, relative to the peak rate; absent without weights. Above 1 if the kernel needs
    /// fewer than the definition.
    pub(super) of_peak: Option<f64>,
}

/// All steps, and the peak.
#[derive(Debug, Serialize)]
pub(super) struct Layers {
    pub(super) isa: &'static str,
    /// Peak rate in multiply-accumulates per second, with all operands in registers, measured in this run.
    pub(super) peak: f64,
    pub(super) layers: Vec<Layer>,
}

/// Runs every region `runs` times on `image`. A region behind float operators gets the values of the image, repeated or
/// cut to its input size.
pub(super) fn measure(
    regions: &[Arc<Region>],
    image: &ImageBatch,
    runs: usize,
) -> anyhow::Result<Layers> {
    let [first, ..] = regions else {
        bail!("no part of this model runs with integers");
    };
    let mut layers = Vec::new();
    let isa = first.program.isa();
    let peak = peak(isa);
    for region in regions {
        let program = &region.program;
        let mut workspace = program.workspace();
        let inputs: Vec<Vec<f32>> = program
            .inputs()
            .iter()
            .map(|&n| image.values().iter().copied().cycle().take(n).collect())
            .collect();
        let views: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        let mut outputs: Vec<Vec<f32>> = program.outputs().iter().map(|&n| vec![0.0; n]).collect();
        let mut least = vec![f64::INFINITY; program.steps().count()];
        for _ in 0..runs.max(1) {
            let mut slices: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
            let mut times = least.iter_mut();
            let mut last = Instant::now();
            program.run_watched(&mut workspace, &views, &mut slices, |_| {
                let now = Instant::now();
                if let Some(time) = times.next() {
                    *time = time.min((now - last).as_secs_f64());
                }
                last = now;
            })?;
        }
        layers.extend(program.steps().zip(least).map(|(step, seconds)| Layer {
            name: step.name.to_owned(),
            kernel: step.kernel,
            micros: 1e6 * seconds,
            multiply_accumulates: step.products,
            of_peak: (step.products > 0).then(|| step.products as f64 / seconds / peak),
        }));
    }
    Ok(Layers {
        isa: isa.name(),
        peak,
        layers,
    })
}

impl Layers {
    /// Returns a table of all layers, with the peak rate and the total time.
    pub(super) fn table(&self) -> String {
        let mut text = format!(
            "{} at most {:.1} GMAC/s on one core, from registers\n\n| layer | kernel | us | MMAC | GMAC/s | of peak |\n\
             | --- | --- | ---: | ---: | ---: | ---: |",
            self.isa,
            self.peak / 1e9
        );
        for layer in &self.layers {
            let products = layer.multiply_accumulates as f64;
            let [millions, rate, share] = match layer.of_peak {
                Some(share) => [
                    format!("{:.2}", products / 1e6),
                    format!("{:.1}", share * self.peak / 1e9),
                    format!("{:.0} %", 100.0 * share),
                ],
                None => ["-"; 3].map(str::to_owned),
            };
            text += &format!(
                "\n| {} | {} | {:.1} | {millions} | {rate} | {share} |",
                layer.name, layer.kernel, layer.micros
            );
        }
        let total: f64 = self.layers.iter().map(|l| l.micros).sum();
        text += &format!("\n\n{total:.1} us in all");
        text
    }
}
