//! The files of a run that dies during a save.

use super::*;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// The order in which a state's files are written.
const FILES: [&str; 5] = [
    "network.bpk",
    "optimizer.bpk",
    "queue.safetensors",
    "state.json",
    "state.sha256",
];

/// Every moment of a save: the earlier state exists, and the new state has some complete files and half of the next one
/// under a temporary name; then the new state has its final name and the earlier state still exists.
#[test]
fn crash_between_any_two_writes_leaves_usable_state() {
    let _generator = generator();
    let dir = workspace();
    let config = rich(dir.path(), 2);
    let straight = dir.path().join("straight");
    run(&config, &straight, false).unwrap();
    let run_folder = dir.path().join("run");
    let (old, new) = (dir.path().join("old"), dir.path().join("new"));
    run_until(&config, &run_folder, (1, 2));
    copy(&run_folder.join("resume/state-000001"), &old);
    run_until(&config, &run_folder, (1, 3));
    copy(&run_folder.join("resume/state-000002"), &new);
    let mut written: Vec<_> = fs::read_dir(&new)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    written.sort_unstable();
    assert_eq!(written, FILES);

    for moment in 0..=FILES.len() + 1 {
        let out = dir.path().join(format!("moment-{moment}"));
        copy(&old, &out.join("resume/state-000001"));
        let renamed = moment > FILES.len();
        let target = if renamed {
            "state-000002"
        } else {
            ".tmp-a1b2c3"
        };
        let target = out.join("resume").join(target);
        fs::create_dir_all(&target).unwrap();
        for file in FILES.iter().take(moment) {
            fs::copy(new.join(file), target.join(file)).unwrap();
        }
        if let Some(next) = FILES.get(moment) {
            let whole = fs::read(new.join(next)).unwrap();
            fs::write(target.join(".tailfold-x"), &whole[..whole.len() / 2]).unwrap();
        }
        let done = run_until(&config, &out, (1, 4));
        assert_eq!(done, if renamed { 3 } else { 2 }, "moment {moment}");
        let states: Vec<_> = fs::read_dir(out.join("resume")).unwrap().collect();
        assert_eq!(states.len(), 1, "leftovers are removed: {states:?}");
        if moment % 3 == 0 {
            run(&config, &out, true).unwrap();
            assert_same_run(&out, &straight);
        }
    }
}

/// Puts a file at the path of the next state's folder, from a certain step on.
struct Obstruct<'a> {
    out: &'a Path,
    aside: &'a Path,
}

impl Observer for Obstruct<'_> {
    fn step(&mut self, report: &StepReport) {
        if (report.epoch, report.step) == (1, 3) {
            fs::rename(self.out.join("resume"), self.aside).unwrap();
            fs::write(self.out.join("resume"), "").unwrap();
        }
    }
}

#[test]
fn failed_save_ends_run_and_keeps_last_state() {
    let _generator = generator();
    let dir = workspace();
    let mut config = rich(dir.path(), 2);
    config.checkpoint_minutes = 0.0;
    let folder = |name: &str| dir.path().join(name);
    let (straight, out, aside) = (folder("straight"), folder("run"), folder("aside"));
    run(&config, &straight, false).unwrap();
    let mut obstruct = Obstruct {
        out: &out,
        aside: &aside,
    };
    let error = train(&config, &out, false, &device(), &mut obstruct).unwrap_err();
    let resume = out.join("resume");
    assert!(
        error.to_string().contains(&resume.display().to_string()),
        "{error}"
    );
    fs::remove_file(&resume).unwrap();
    fs::rename(&aside, &resume).unwrap();
    let mut watch = Watch::default();
    train(&config, &out, true, &device(), &mut watch).unwrap();
    assert_eq!(watch.started_after, Some(2));
    assert_same_run(&out, &straight);
}
