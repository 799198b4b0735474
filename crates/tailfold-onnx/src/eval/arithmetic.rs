//! Elementwise operators of constants, with NumPy broadcasting.

use super::broadcast::{broadcast, places};
use super::value::{Data, rounded};
use super::{Folded, Unfolded, Value};
use crate::proto::DataType;

/// Evaluates an elementwise operator with one input: booleans support Not, i32 and i64 Abs and Neg, floats all but Not.
pub(super) fn unary(op: &str, x: &Value) -> Folded {
    let data = match &x.data {
        Data::Real(values) => {
            let f: fn(f64) -> f64 = match op {
                "Abs" => f64::abs,
                "Neg" => |v| -v,
                "Sqrt" => f64::sqrt,
                "Reciprocal" => |v| 1.0 / v,
                "Exp" => f64::exp,
                "Log" => f64::ln,
                "Floor" => f64::floor,
                "Ceil" => f64::ceil,
                "Relu" => |v| larger(v, 0.0),
                "Tanh" => f64::tanh,
                "Sigmoid" => |v| 1.0 / (1.0 + (-v).exp()),
                "Softplus" => |v| v.max(0.0) + (-v.abs()).exp().ln_1p(),
                _ => return Err(Unfolded::Unknown),
            };
            Data::Real(values.iter().map(|&v| rounded(x.element, f(v))).collect())
        }
        Data::Int(values) => {
            let f: fn(i64) -> Option<i64> = match (op, x.element) {
                ("Not", DataType::Bool) => |v| Some(1 - v),
                ("Abs", DataType::Int64 | DataType::Int32) => i64::checked_abs,
                ("Neg", DataType::Int64 | DataType::Int32) => i64::checked_neg,
                _ => return Err(Unfolded::Unknown),
            };
            let values: Option<Vec<i64>> = values.iter().map(|&v| f(v)).collect();
            let data = Data::Int(values.ok_or(Unfolded::Unknown)?);
            return within(x.element, x.shape.clone(), data);
        }
    };
    Ok(Value { data, ..x.clone() })
}

/// The larger number; NaN if one of them is NaN, as in NumPy.
pub(super) fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() {
        a
    } else if b.is_nan() {
        b
    } else {
        a.max(b)
    }
}

/// The smaller number; NaN if one of them is NaN, as in NumPy.
pub(super) fn smaller(a: f64, b: f64) -> f64 {
    -larger(-a, -b)
}

/// Converts i64 results to `element`; a value outside its range is [`Unfolded::Unknown`].
pub(super) fn within(element: DataType, shape: Vec<usize>, data: Data) -> Folded {
    let wide = Value {
        element: DataType::Int64,
        shape,
        data,
    };
    wide.cast(element)
}

/// Evaluates an elementwise operator with two inputs of one element type; only the exponent of Pow may differ.
pub(super) fn binary(op: &str, a: &Value, b: &Value) -> Folded {
    if op == "Pow" && a.element != b.element {
        return binary(op, a, &b.cast(a.element)?);
    }
    if a.element != b.element {
        return Err(Unfolded::Unknown);
    }
    let shape = broadcast(&a.shape, &b.shape)?;
    let pairs = || {
        let (left, right) = (places(&shape, &a.shape), places(&shape, &b.shape));
        left.into_iter().zip(right)
    };
    match (&a.data, &b.data) {
        (Data::Real(left), Data::Real(right)) => {
            let test: Option<fn(f64, f64) -> bool> = match op {
                "Equal" => Some(|a, b| a.partial_cmp(&b).is_some_and(std::cmp::Ordering::is_eq)),
                "Less" => Some(|a, b| a < b),
                "LessOrEqual" => Some(|a, b| a <= b),
                "Greater" => Some(|a, b| a > b),
                "GreaterOrEqual" => Some(|a, b| a >= b),
                _ => None,
            };
            if let Some(test) = test {
                let truths = pairs().map(|(i, j)| test(left[i], right[j])).collect();
                return Ok(Value::truths(shape, truths));
            }
            let f: fn(f64, f64) -> f64 = match op {
                "Add" | "Sum" => |a, b| a + b,
                "Sub" => |a, b| a - b,
                "Mul" => |a, b| a * b,
                "Div" => |a, b| a / b,
                "Pow" => f64::powf,
                "Max" => larger,
                "Min" => smaller,
                _ => return Err(Unfolded::Unknown),
            };
            let values = pairs().map(|(i, j)| rounded(a.element, f(left[i], right[j])));
            Ok(Value {
                element: a.element,
                data: Data::Real(values.collect()),
                shape,
            })
        }
        (Data::Int(left), Data::Int(right)) => {
            let test: Option<fn(i64, i64) -> bool> = match op {
                "Equal" => Some(|a, b| a == b),
                "Less" => Some(|a, b| a < b),
                "LessOrEqual" => Some(|a, b| a <= b),
                "Greater" => Some(|a, b| a > b),
                "GreaterOrEqual" => Some(|a, b| a >= b),
                "And" => Some(|a, b| a != 0 && b != 0),
                "Or" => Some(|a, b| a != 0 || b != 0),
                "Xor" => Some(|a, b| (a != 0) != (b != 0)),
                _ => None,
            };
            if let Some(test) = test {
                let truths = pairs().map(|(i, j)| test(left[i], right[j])).collect();
                return Ok(Value::truths(shape, truths));
            }
            if !matches!(a.element, DataType::Int64 | DataType::Int32) {
                return Err(Unfolded::Unknown);
            }
            let f: fn(i64, i64) -> Option<i64> = match op {
                "Add" | "Sum" => i64::checked_add,
                "Sub" => i64::checked_sub,
                "Mul" => i64::checked_mul,
                // ONNX divides integers as C does, towards zero.
                "Div" => i64::checked_div,
                // Without `fmod`, the remainder has the sign of the divisor.
                "Mod" => |a, b| {
                    let rest = a.checked_rem(b)?;
                    Some(if rest != 0 && (rest < 0) != (b < 0) {
                        rest + b
                    } else {
                        rest
                    })
                },
                "Max" => |a, b| Some(a.max(b)),
                "Min" => |a, b| Some(a.min(b)),
                _ => return Err(Unfolded::Unknown),
            };
            let values: Option<Vec<i64>> = pairs().map(|(i, j)| f(left[i], right[j])).collect();
            let data = Data::Int(values.ok_or(Unfolded::Unknown)?);
            within(a.element, shape, data)
        }
        _ => Err(Unfolded::Unknown),
    }
}

/// Where: elements of the second input where the first is true, elements of the third elsewhere.
pub(super) fn choose(inputs: &[Option<&Value>]) -> Folded {
    let &[Some(condition), Some(yes), Some(no)] = inputs else {
        return Err(Unfolded::Unknown);
    };
    let truths = condition.as_ints().ok_or(Unfolded::Unknown)?;
    if yes.element != no.element {
        return Err(Unfolded::Unknown);
    }
    let shape = broadcast(&broadcast(&condition.shape, &yes.shape)?, &no.shape)?;
    let [c, y, n] = [condition, yes, no].map(|v| places(&shape, &v.shape));
    let data = match (&yes.data, &no.data) {
        (Data::Int(a), Data::Int(b)) => Data::Int(
            (0..c.len())
                .map(|i| if truths[c[i]] != 0 { a[y[i]] } else { b[n[i]] })
                .collect(),
        ),
        (Data::Real(a), Data::Real(b)) => Data::Real(
            (0..c.len())
                .map(|i| if truths[c[i]] != 0 { a[y[i]] } else { b[n[i]] })
                .collect(),
        ),
        _ => return Err(Unfolded::Unknown),
    };
    Ok(Value {
        element: yes.element,
        shape,
        data,
    })
}
