//! Jobs that run in parallel, up to a given number at a time.

use std::sync::Mutex;
use std::thread;

/// Runs `work` on each of `jobs`, at most `workers` at a time, and returns the answers in the order of the jobs.
///
/// Jobs start in their order. A failed job does not stop the other jobs.
///
/// # Panics
/// A panic of `work` is resumed in the calling thread.
pub fn run<J: Sync, A: Send>(jobs: &[J], workers: usize, work: impl Fn(&J) -> A + Sync) -> Vec<A> {
    let queue = Mutex::new(jobs.iter().enumerate());
    let next = || queue.lock().map_or(None, |mut jobs| jobs.next());
    let mut answers: Vec<(usize, A)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers.clamp(1, jobs.len().max(1)))
            .map(|_| {
                scope.spawn(|| {
                    let mut answers = Vec::new();
                    while let Some((index, job)) = next() {
                        answers.push((index, work(job)));
                    }
                    answers
                })
            })
            .collect();
        let joined = workers.into_iter().map(thread::ScopedJoinHandle::join);
        joined
            .flat_map(|answers| answers.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Returns the number of threads that this machine runs at a time.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_have_order_of_jobs() {
        // The first job ends last.
        let answers = run(&[30_u64, 0, 10, 0], 3, |&ms| {
            thread::sleep(std::time::Duration::from_millis(ms));
            ms + 1
        });
        assert_eq!(answers, [31, 1, 11, 1]);
        assert!(run(&[0_u8; 0], 4, |&j| j).is_empty());
    }
}
