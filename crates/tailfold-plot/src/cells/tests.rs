use super::*;
use crate::svg;

fn picture(panels: &[CellPanel]) -> String {
    let class = |name: &str, x| ToyClass {
        name: name.to_owned(),
        centre: [x, 0.0],
        // The second point lies outside the frame.
        points: vec![[x, 0.5], [9.0, 0.0]],
    };
    let classes = [class("left", -0.5), class("right", 0.5)];
    svg(&Cells {
        classes: &classes,
        frame: [[-1.0, -1.0], [1.0, 1.0]],
        panels,
    })
    .unwrap()
}

fn panel(offset: f64, temperature: Option<f64>) -> CellPanel {
    CellPanel {
        title: format!("h = {offset}"),
        heads: vec![[-2.0, 0.0, offset], [2.0, 0.0, 0.0]],
        temperature,
        mass: vec![0.25, 0.75],
        target: vec![0.5, 0.5],
    }
}

#[test]
fn picture_has_all_cells_bars_and_points() {
    let text = picture(&[panel(0.0, None)]);
    assert_eq!(text, picture(&[panel(0.0, None)]));
    // One polygon per cell. Per class one circle for the point in the frame, and one below the name.
    assert_eq!(text.matches("<polygon").count(), 2);
    assert_eq!(text.matches("<circle").count(), 4);
    for word in ["h = 0", "left", "right", "25", "75"] {
        assert!(text.contains(word), "{word}");
    }
}

#[test]
fn class_without_cell_has_no_polygon() {
    assert_eq!(picture(&[panel(-9.0, None)]).matches("<polygon").count(), 1);
}

#[test]
fn soft_cells_have_shades_where_probability_is_high() {
    // With scores of -2 to 2, a probability of 0.99 needs a difference of ln 99 = 4.6.
    let shades = |t| picture(&[panel(0.0, Some(t))]).matches("<polygon").count();
    assert_eq!([shades(0.1), shades(1.0)], [10, 8]);
}

#[test]
fn second_panel_row_makes_picture_higher() {
    let size = |n| {
        let panels = vec![panel(0.0, None); n];
        let cells = Cells {
            classes: &[],
            frame: [[-1.0, -1.0], [1.0, 1.0]],
            panels: &panels,
        };
        cells.size().1
    };
    assert!(size(1) == size(2) && size(2) < size(3) && size(3) == size(4));
}
