//! Sessions that several threads share: one per thread on the CPU, and a single one on a GPU.

use std::sync::{Mutex, MutexGuard};

use ort::session::Session;
use tailfold_spec::RunError;

use crate::Provider;
use crate::session::Recipe;

/// Sessions of one model. A session serves one thread at a time, because concurrent calls of one session are
/// unsound.
pub(crate) struct Pool {
    recipe: Recipe,
    free: Mutex<Vec<Session>>,
}

impl Pool {
    /// Creates a pool with one existing session.
    pub(crate) fn new(recipe: Recipe, first: Session) -> Self {
        Self {
            recipe,
            free: Mutex::new(vec![first]),
        }
    }

    pub(crate) fn provider(&self) -> Provider {
        self.recipe.setup.provider
    }

    /// Returns the result of `work` on a session that no other thread uses meanwhile.
    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&mut Session) -> Result<T, RunError>,
    ) -> Result<T, RunError> {
        if self.provider() != Provider::Cpu
            && let Some(only) = self.free().first_mut()
        {
            return work(only);
        }
        let free = self.free().pop();
        let mut session = match free {
            Some(session) => session,
            None => self.recipe.open().map_err(|error| RunError::Backend {
                backend: self.provider().name(),
                message: error.to_string(),
            })?,
        };
        let answer = work(&mut session);
        self.free().push(session);
        answer
    }

    fn free(&self) -> MutexGuard<'_, Vec<Session>> {
        self.free
            .lock()
            .unwrap_or_else(|broken| broken.into_inner())
    }
}
