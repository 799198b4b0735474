//! Images for which the two models give different classes: their number, their direction, their classes, and the
//! worst.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use tailfold_spec::Group;

use crate::groups::ModelGroups;
use crate::image::{Image, Side};
use crate::report::{Flip, FlipPair, GroupFlip, Report, Sides};

/// Images whose decision changed.
pub(crate) struct Flips {
    pub(crate) all: usize,
    pub(crate) toward_frequent: usize,
    pub(crate) toward_rare: usize,
    /// Pairs of classes, most images first; cut off after [`Report::PAIRS`].
    pub(crate) pairs: Vec<FlipPair>,
    /// All pairs of groups, most images first.
    pub(crate) by_group: Vec<GroupFlip>,
    pub(crate) worst: Vec<Flip>,
}

impl Flips {
    /// Collects the flips of `images`. An image without a decision on either side is a flip without a direction.
    pub(crate) fn of(images: &[Image], train_counts: &[u64], groups: &ModelGroups) -> Self {
        let (mut toward_frequent, mut toward_rare) = (0, 0);
        let mut pairs: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        let mut flipped: Vec<usize> = Vec::new();
        for (i, image) in images
            .iter()
            .enumerate()
            .filter(|(_, image)| image.is_flip())
        {
            flipped.push(i);
            if let (Some(from), Some(to)) = (image.before.class(), image.after.class()) {
                let (count, other) = (train_counts[from], train_counts[to]);
                toward_frequent += usize::from(other > count);
                toward_rare += usize::from(other < count);
                *pairs.entry((from, to)).or_default() += 1;
            }
        }
        let all = flipped.len();
        let mut pairs: Vec<FlipPair> = pairs
            .into_iter()
            .map(|((from, to), images)| FlipPair {
                from,
                to,
                from_group: groups.get(from),
                to_group: groups.get(to),
                images,
            })
            .collect();
        let by_group = by_group(&pairs);
        pairs.sort_by_key(|pair| Reverse(pair.images));
        pairs.truncate(Report::PAIRS);
        // Lost images come first, then the rarest labels, the largest falls of the label's probability, and the
        // lowest image index.
        let fall = |image: &Image| image.before.label_probability - image.after.label_probability;
        flipped.sort_by(|&i, &j| {
            let (a, b) = (&images[i], &images[j]);
            let key = |image: &Image| {
                (
                    Reverse(image.was_right()),
                    image.is_right(),
                    train_counts[image.label()],
                )
            };
            key(a)
                .cmp(&key(b))
                .then(fall(b).total_cmp(&fall(a)))
                .then(i.cmp(&j))
        });
        let worst = flipped
            .into_iter()
            .take(Report::WORST_FLIPS)
            .map(|i| flip(i, &images[i], groups))
            .collect();
        Self {
            all,
            toward_frequent,
            toward_rare,
            pairs,
            by_group,
            worst,
        }
    }
}

fn by_group(pairs: &[FlipPair]) -> Vec<GroupFlip> {
    let mut sums: BTreeMap<(Group, Group), usize> = BTreeMap::new();
    for pair in pairs {
        *sums.entry((pair.from_group, pair.to_group)).or_default() += pair.images;
    }
    let sums = sums.into_iter();
    let mut flips: Vec<GroupFlip> = sums
        .map(|((from, to), images)| GroupFlip { from, to, images })
        .collect();
    flips.sort_by_key(|flip| Reverse(flip.images));
    flips
}

fn flip(number: usize, image: &Image, groups: &ModelGroups) -> Flip {
    let sides = |of: &dyn Fn(&Side) -> f64| Sides {
        reference: of(&image.before),
        candidate: of(&image.after),
    };
    Flip {
        image: number,
        label: image.label(),
        group: groups.get(image.label()),
        decisions: Sides {
            reference: image.before.class(),
            candidate: image.after.class(),
        },
        confidence: sides(&|side| f64::from(side.confidence)),
        label_probability: sides(&|side| f64::from(side.label_probability)),
    }
}
