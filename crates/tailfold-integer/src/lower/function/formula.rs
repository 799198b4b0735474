//! ONNX's elementwise operators in double precision.

use tailfold_onnx::proto::NodeProto;

use super::erf::erf;

/// The formula of an elementwise operator, applied to one value per input.
///
/// An omitted float attribute has ONNX's default in single precision, as if the file stored it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Formula {
    /// A function of one input, with up to two attributes.
    One(fn(f64, [f64; 2]) -> f64, [f64; 2]),
    /// A function of two inputs.
    Two(fn(f64, f64) -> f64),
    /// A function of two values, folded over all inputs from the first to the last.
    All(fn(f64, f64) -> f64),
    /// Clip to the bounds in the second and third input; the attributes here replace an omitted bound.
    Clip([f64; 2]),
}

impl Formula {
    /// Returns the formula of `node`; `None` for an operator that is not elementwise or not supported here.
    pub(super) fn of(node: &NodeProto) -> Option<Self> {
        if !matches!(node.domain(), "" | "ai.onnx") {
            return None;
        }
        let with = |name: &str, default: f32| f64::from(node.float(name).unwrap_or(default));
        let alpha = |default: f32| [with("alpha", default), 0.0];
        let none = [0.0; 2];
        Some(match node.op_type() {
            "Identity" => Self::One(|x, _| x, none),
            "Abs" => Self::One(|x, _| x.abs(), none),
            "Neg" => Self::One(|x, _| -x, none),
            "Reciprocal" => Self::One(|x, _| 1.0 / x, none),
            "Sqrt" => Self::One(|x, _| x.sqrt(), none),
            "Exp" => Self::One(|x, _| x.exp(), none),
            "Log" => Self::One(|x, _| x.ln(), none),
            "Erf" => Self::One(|x, _| erf(x), none),
            "Tanh" => Self::One(|x, _| x.tanh(), none),
            "Sigmoid" => Self::One(|x, _| sigmoid(x), none),
            "Softplus" => Self::One(|x, _| softplus(x), none),
            "Softsign" => Self::One(|x, _| x / (1.0 + x.abs()), none),
            "Mish" => Self::One(|x, _| x * softplus(x).tanh(), none),
            "Relu" => Self::One(|x, _| x.max(0.0), none),
            "LeakyRelu" => Self::One(|x, [a, _]| if x < 0.0 { a * x } else { x }, alpha(0.01)),
            "ThresholdedRelu" => Self::One(|x, [a, _]| if x > a { x } else { 0.0 }, alpha(1.0)),
            "Elu" => Self::One(
                |x, [a, _]| if x < 0.0 { a * x.exp_m1() } else { x },
                alpha(1.0),
            ),
            "Celu" => Self::One(
                |x, [a, _]| x.max(0.0) + (a * (x / a).exp_m1()).min(0.0),
                alpha(1.0),
            ),
            "Selu" => Self::One(
                |x, [a, gamma]| gamma * if x > 0.0 { x } else { a * x.exp_m1() },
                [with("alpha", 1.673_263_2), with("gamma", 1.050_701)],
            ),
            "HardSigmoid" => Self::One(
                |x, [a, b]| (a * x + b).clamp(0.0, 1.0),
                [with("alpha", 0.2), with("beta", 0.5)],
            ),
            "HardSwish" => Self::One(|x, _| x * (x / 6.0 + 0.5).clamp(0.0, 1.0), none),
            "Swish" => Self::One(|x, [a, _]| x * sigmoid(a * x), alpha(1.0)),
            "Gelu" => {
                let approximate = node.find_attr("approximate").map(|a| a.s().to_vec());
                match approximate.as_deref() {
                    None | Some(b"none") => Self::One(|x, _| gelu(x), none),
                    Some(b"tanh") => Self::One(|x, _| gelu_by_tanh(x), none),
                    Some(_) => return None,
                }
            }
            "Add" => Self::Two(|a, b| a + b),
            "Sub" => Self::Two(|a, b| a - b),
            "Mul" => Self::Two(|a, b| a * b),
            "Div" => Self::Two(|a, b| a / b),
            "Pow" => Self::Two(f64::powf),
            "PRelu" => Self::Two(|x, slope| if x < 0.0 { slope * x } else { x }),
            "Min" => Self::All(f64::min),
            "Max" => Self::All(f64::max),
            "Clip" => Self::Clip([with("min", f32::NEG_INFINITY), with("max", f32::INFINITY)]),
            _ => return None,
        })
    }

    /// Returns the result for one value per input; `None` as an input stands for an omitted optional input.
    ///
    /// Returns `None` when the operator does not take these inputs. The result is NaN when an input is NaN.
    pub(super) fn value(&self, inputs: &[Option<f64>]) -> Option<f64> {
        if inputs.iter().flatten().any(|x| x.is_nan()) {
            return Some(f64::NAN);
        }
        match (self, inputs) {
            (Self::One(f, attributes), &[Some(x)]) => Some(f(x, *attributes)),
            (Self::Two(f), &[Some(a), Some(b)]) => Some(f(a, b)),
            (Self::All(f), [Some(first), rest @ ..]) => {
                let mut rest = rest.iter();
                rest.try_fold(*first, |a, b| b.map(|b| f(a, b)))
            }
            (Self::Clip(ends), [Some(x), bounds @ ..]) if bounds.len() <= 2 => {
                let bound = |at: usize| bounds.get(at).copied().flatten().unwrap_or(ends[at]);
                let (low, high) = (bound(0), bound(1));
                Some(x.max(low).min(high))
            }
            _ => None,
        }
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Computes `ln(exp(x) + 1)` without overflow of the exponential.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn gelu(x: f64) -> f64 {
    0.5 * x * (1.0 + erf(x / std::f64::consts::SQRT_2))
}

fn gelu_by_tanh(x: f64) -> f64 {
    let root = std::f64::consts::FRAC_2_PI.sqrt();
    0.5 * x * (1.0 + (root * (x + 0.044_715 * x * x * x)).tanh())
}

#[cfg(test)]
mod tests;
