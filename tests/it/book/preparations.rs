//! Scripts that run before a block with `<!-- run first: NAME -->`, and make files that readers have of their own.

/// A few images per class in `photos/train`, `photos/val` and `photos/test`.
const PHOTOS: &str = "\
for split in train val test; do
  for class in T-shirt/top Trouser Pullover Dress Coat Sandal Shirt Sneaker Bag 'Ankle boot'; do
    tailfold-lab images --data \"embedded?split=$split&per-class=8\" --class \"$class\" --out \"photos/$split/${class%/top}\" ||
      exit 1
  done
done
";

/// The script of the preparation `name`.
pub(super) fn script(name: &str) -> Option<&'static str> {
    (name == "photos").then_some(PHOTOS)
}
