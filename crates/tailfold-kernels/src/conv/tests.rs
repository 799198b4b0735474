use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::frame::Border;

/// A layer by its numbers, and the definition of what it computes.
#[derive(Debug)]
struct Layer {
    window: Window,
    channels: usize,
    filters: usize,
    groups: usize,
    size: [usize; 2],
    codes: Vec<i16>,
    weights: Vec<i16>,
    multiplier: Vec<f64>,
    offset: Vec<f64>,
    clamp: [i16; 2],
}

impl Layer {
    fn random(rng: &mut ChaCha8Rng) -> Self {
        let kernel = *pick(rng, &[[1, 1], [3, 3], [3, 3], [5, 5], [1, 3], [2, 4]]);
        let groups = *pick(rng, &[1, 1, 1, 0, 2, 3]);
        let dilation = if rng.random_bool(0.8) { [1, 1] } else { [1, 2] };
        let mut pad = || rng.random_range(0..=2);
        let pads = Border {
            top: pad(),
            left: pad(),
            bottom: pad(),
            right: pad(),
        };
        let window = Window {
            kernel,
            stride: *pick(rng, &[[1, 1], [1, 1], [2, 2], [1, 3]]),
            dilation,
            pads,
        };
        let (channels, filters, groups) = match groups {
            0 => {
                let c = rng.random_range(2..40);
                (c, c, c)
            }
            1 => (rng.random_range(1..50), rng.random_range(1..50), 1),
            g => (g * rng.random_range(1..9), g * rng.random_range(1..9), g),
        };
        let least = |k: usize, d: usize| (k - 1) * d + 1;
        let size = [
            rng.random_range(least(kernel[0], dilation[0])..12),
            rng.random_range(least(kernel[1], dilation[1])..14),
        ];
        let weights = filters * channels / groups * kernel[0] * kernel[1];
        let zero_point = rng.random_range(0..256_i16);
        // A power of two now and then, so that results fall on ties.
        let scale = if rng.random_bool(0.3) {
            0.5_f64.powi(rng.random_range(6..12))
        } else {
            rng.random_range(1e-4..2e-2)
        };
        Self {
            window,
            channels,
            filters,
            groups,
            size,
            codes: (0..channels * size[0] * size[1])
                .map(|_| rng.random_range(0..256_i16) - zero_point)
                .collect(),
            weights: (0..weights).map(|_| rng.random_range(-128..128)).collect(),
            multiplier: (0..filters)
                .map(|_| scale * f64::from(rng.random_range(1..4)))
                .collect(),
            offset: (0..filters)
                .map(|_| rng.random_range(-200..200) as f64 * 0.25)
                .collect(),
            clamp: *pick(rng, &[[-128, 127], [0, 255], [-3, 252], [0, 96]]),
        }
    }

    fn frames(&self, extra: usize) -> [Frame; 2] {
        let [height, width] = self.window.output(self.size[0], self.size[1]).unwrap();
        let mut input = Frame::new(self.channels, self.size[0], self.size[1]);
        input.border = self.window.pads;
        input.border.left += extra;
        let mut output = Frame::new(self.filters, height, width);
        output.border.top = extra;
        output.border.right = extra;
        [input, output]
    }

    /// The definition, `[filters, height, width]`.
    fn sums(&self) -> Vec<i32> {
        let Window {
            kernel,
            stride,
            dilation,
            pads,
        } = self.window;
        let [height, width] = self.window.output(self.size[0], self.size[1]).unwrap();
        let (per_group, per_filter) = (self.filters / self.groups, self.channels / self.groups);
        let mut sums = Vec::new();
        for filter in 0..self.filters {
            for y in 0..height {
                for x in 0..width {
                    let mut sum = 0;
                    for c in 0..per_filter {
                        let channel = filter / per_group * per_filter + c;
                        for ky in 0..kernel[0] {
                            for kx in 0..kernel[1] {
                                let iy = (y * stride[0] + ky * dilation[0]).wrapping_sub(pads.top);
                                let ix = (x * stride[1] + kx * dilation[1]).wrapping_sub(pads.left);
                                if iy < self.size[0] && ix < self.size[1] {
                                    let code = self.codes
                                        [(channel * self.size[0] + iy) * self.size[1] + ix];
                                    let weight =
                                        self.weights[((filter * per_filter + c) * kernel[0] + ky)
                                            * kernel[1]
                                            + kx];
                                    sum += i32::from(code) * i32::from(weight);
                                }
                            }
                        }
                    }
                    sums.push(sum);
                }
            }
        }
        sums
    }

    fn run(&self, isa: Isa, extra: usize) -> (Vec<i16>, Method) {
        let [input, output] = self.frames(extra);
        let requantize =
            Requantize::new(self.multiplier.clone(), self.offset.clone(), self.clamp).unwrap();
        let conv = Conv::new(
            isa,
            self.window,
            input,
            output,
            self.packed(),
            Epilogue::Codes(requantize),
        )
        .unwrap();
        // What lies behind the image and in fill-up channels must not be felt.
        let mut x = vec![-7; input.len()];
        input.clear_border(&mut x);
        let plane = self.size[0] * self.size[1];
        for (i, &code) in self.codes.iter().enumerate() {
            let at = input.at(i % plane / self.size[1], i % self.size[1]);
            x[at + i / plane] = code;
        }
        let mut out = vec![99; output.len()];
        conv.run(
            &x,
            Sink::Codes(&mut out),
            &mut Scratch::new([conv.scratch()]),
        );
        let mut codes = Vec::new();
        for filter in 0..self.filters {
            for y in 0..output.height {
                for x in 0..output.width {
                    codes.push(out[output.at(y, x) + filter]);
                }
            }
        }
        let border = output.image() - output.height * output.width * output.pitch();
        let untouched = out.iter().filter(|&&c| c == 99).count();
        assert!(untouched >= border, "the border was written to");
        (codes, conv.method())
    }

    fn packed(&self) -> Weights<'_> {
        Weights {
            codes: &self.weights,
            filters: self.filters,
            groups: self.groups,
        }
    }
}

fn pick<'a, T>(rng: &mut ChaCha8Rng, of: &'a [T]) -> &'a T {
    &of[rng.random_range(0..of.len())]
}

#[test]
fn every_unit_computes_the_definition_on_random_shapes() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut seen = std::collections::HashMap::new();
    let layers = if cfg!(debug_assertions) { 400 } else { 4000 };
    for _ in 0..layers {
        let layer = Layer::random(&mut rng);
        let pixels: usize = layer
            .window
            .output(layer.size[0], layer.size[1])
            .unwrap()
            .iter()
            .product();
        let requantize =
            Requantize::new(layer.multiplier.clone(), layer.offset.clone(), layer.clamp).unwrap();
        let expected: Vec<i16> = layer
            .sums()
            .into_iter()
            .enumerate()
            .map(|(i, sum)| requantize.code(i / pixels, sum))
            .collect();
        for isa in Isa::available() {
            let (found, method) = layer.run(isa, rng.random_range(0..2));
            assert!(found == expected, "{isa:?} {method:?} {layer:?}");
            *seen.entry(method).or_insert(0) += 1;
        }
    }
    assert_eq!(seen.len(), 4, "every kernel was chosen: {seen:?}");
}
