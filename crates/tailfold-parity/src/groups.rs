//! Assigns the classes to the groups many, medium and few.

use tailfold_spec::{ClassGroups, Group};

use crate::policy::{GroupRule, Grouping};
use crate::{ComparedModel, ParityError, ParityErrorKind, Policy};

/// The group of every class of a model.
#[derive(Clone, Debug)]
pub(crate) struct ModelGroups {
    pub(crate) of_class: ClassGroups,
}

impl ModelGroups {
    /// Groups the classes of `model` by the rule of `policy`.
    pub(crate) fn of(model: &ComparedModel, policy: &Policy) -> Result<Self, ParityError> {
        let counts = &model.train_counts;
        if counts.len() != model.classes.len() {
            return Err(ParityErrorKind::Mismatch.error(format!(
                "the logits have {classes} classes but the model has {found} training counts",
                classes = model.classes.len(),
                found = counts.len()
            )));
        }
        let of_class = match policy.groups.by {
            GroupRule::Counts => by_thresholds(counts, &policy.groups),
            GroupRule::Thirds => by_thirds(counts)?,
        };
        Ok(Self { of_class })
    }

    pub(crate) fn get(&self, class: usize) -> Group {
        // Every class has a group; the fallback is for an index beyond the last class.
        self.of_class.get(class).unwrap_or(Group::Few)
    }
}

fn by_thresholds(counts: &[u64], grouping: &Grouping) -> ClassGroups {
    let group = |&count: &u64| {
        if count > grouping.many_above {
            Group::Many
        } else if count < grouping.few_below {
            Group::Few
        } else {
            Group::Medium
        }
    };
    ClassGroups::from_groups(counts.iter().map(group).collect())
}

/// Splits the classes into thirds from the most frequent on; equal counts stay in label order.
fn by_thirds(counts: &[u64]) -> Result<ClassGroups, ParityError> {
    if counts.len() < 3 || counts.windows(2).all(|pair| pair[0] == pair[1]) {
        return Err(ParityErrorKind::Groups.error(format!(
            "{classes} classes with {count} images each: nothing tells frequent from rare, so \
             there are no thirds",
            classes = counts.len(),
            count = counts.first().copied().unwrap_or(0)
        )));
    }
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|&class| std::cmp::Reverse(counts[class]));
    let mut groups = vec![Group::Medium; counts.len()];
    let third = counts.len() / 3;
    for &class in &order[..third] {
        groups[class] = Group::Many;
    }
    for &class in &order[counts.len() - third..] {
        groups[class] = Group::Few;
    }
    Ok(ClassGroups::from_groups(groups))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(counts: &[u64]) -> ComparedModel {
        ComparedModel {
            classes: counts.iter().map(u64::to_string).collect(),
            train_counts: counts.to_vec(),
            ..ComparedModel::default()
        }
    }

    fn grouped(counts: &[u64], grouping: Grouping) -> Result<Vec<Group>, ParityError> {
        let policy = Policy {
            groups: grouping,
            ..Policy::default()
        };
        let groups = ModelGroups::of(&model(counts), &policy)?;
        Ok((0..counts.len()).map(|class| groups.get(class)).collect())
    }

    #[test]
    fn thresholds_are_from_literature_unless_policy_sets_them() {
        use Group::{Few, Many, Medium};
        let counts = [101, 100, 20, 19];
        assert_eq!(
            grouped(&counts, Grouping::default()).unwrap(),
            [Many, Medium, Medium, Few]
        );
        let other = Grouping {
            many_above: 50,
            few_below: 50,
            ..Grouping::default()
        };
        assert_eq!(grouped(&counts, other).unwrap(), [Many, Many, Few, Few]);
    }

    #[test]
    fn thirds_follow_counts_and_not_labels() {
        use Group::{Few, Many, Medium};
        let thirds = Grouping {
            by: GroupRule::Thirds,
            ..Grouping::default()
        };
        let found = grouped(&[7, 900, 8, 3, 500, 9, 2], thirds).unwrap();
        assert_eq!(found, [Medium, Many, Medium, Few, Many, Medium, Few]);
        let error = grouped(&[5, 5, 5], thirds).unwrap_err().to_string();
        assert!(
            error.contains("3 classes") && error.contains("5 images"),
            "{error}"
        );
        assert!(grouped(&[5, 4], thirds).is_err());
    }
}
