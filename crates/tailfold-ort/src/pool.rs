//! Sessions that several threads share: one each on the CPU, one for all on a GPU.

use std::sync::{Mutex, MutexGuard};

use ort::session::Session;
use tailfold_spec::RunError;

use crate::Provider;
use crate::session::Recipe;

/// Sessions over one model. A session serves one thread at a time; ONNX Runtime's own use by several is not sound.
pub(crate) struct Pool {
    recipe: Recipe,
    free: Mutex<Vec<Session>>,
}

impl Pool {
    /// With one session that is there already.
    pub(crate) fn new(recipe: Recipe, first: Session) -> Self {
        Self {
            recipe,
            free: Mutex::new(vec![first]),
        }
    }

    pub(crate) fn provider(&self) -> Provider {
        self.recipe.setup.provider
    }

    /// What `work` makes of a session that nobody else uses meanwhile.
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
