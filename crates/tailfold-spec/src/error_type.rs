//! The common form of the libraries' errors: a kind, a place, a message and a cause.

/// Declares the error type of a library.
///
/// The type has a kind that a caller can act on, the place (file, node, class or row), a message, and the cause.
/// Each `Cause => Kind` adds a conversion for `?` whose message is the cause's message.
#[macro_export]
macro_rules! error_type {
    (
        $(#[$doc:meta])*
        pub struct $error:ident($kind:ident);
        $($(#[$condition:meta])* $cause:ty => $of:ident,)*
    ) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $error {
            kind: $kind,
            place: Option<String>,
            /// The message; `None` uses the cause's message.
            message: Option<String>,
            cause: Option<Box<dyn ::std::error::Error + Send + Sync>>,
        }

        impl $kind {
            /// Returns an error of this kind with a message that states the fact.
            pub fn error(self, message: impl Into<String>) -> $error {
                $error {
                    kind: self,
                    place: None,
                    message: Some(message.into()),
                    cause: None,
                }
            }
        }

        impl $error {
            /// Returns an error whose message is the cause's message.
            pub fn of(
                kind: $kind,
                cause: impl Into<Box<dyn ::std::error::Error + Send + Sync>>,
            ) -> Self {
                Self {
                    kind,
                    place: None,
                    message: None,
                    cause: Some(cause.into()),
                }
            }

            /// Returns the same error with the place of the failure: a file, a node, a class or a row.
            #[must_use]
            pub fn at(mut self, place: impl ::std::fmt::Display) -> Self {
                self.place = Some(place.to_string());
                self
            }

            /// Returns the same error with a cause.
            #[must_use]
            pub fn caused_by(
                mut self,
                cause: impl Into<Box<dyn ::std::error::Error + Send + Sync>>,
            ) -> Self {
                self.cause = Some(cause.into());
                self
            }

            /// Returns the kind, so that a caller can act on it.
            pub fn kind(&self) -> $kind {
                self.kind
            }

            /// The file, node, class or row printed before the message; `None` when the message itself names it.
            pub fn place(&self) -> Option<&str> {
                self.place.as_deref()
            }

            /// The underlying error, even if this error displays the cause's message.
            pub fn cause(&self) -> Option<&(dyn ::std::error::Error + 'static)> {
                match &self.cause {
                    Some(cause) => Some(cause.as_ref()),
                    None => None,
                }
            }
        }

        impl ::std::fmt::Display for $error {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                match (&self.place, &self.message, &self.cause) {
                    (Some(place), Some(message), _) => write!(f, "{place}: {message}"),
                    (Some(text), None, _) | (None, Some(text), _) => f.write_str(text),
                    (None, None, Some(cause)) => cause.fmt(f),
                    (None, None, None) => f.write_str("unknown error"),
                }
            }
        }

        impl ::std::error::Error for $error {
            fn source(&self) -> Option<&(dyn ::std::error::Error + 'static)> {
                let cause = self.cause()?;
                match (&self.place, &self.message) {
                    (None, None) => cause.source(),
                    _ => Some(cause),
                }
            }
        }

        $($(#[$condition])*
        impl From<$cause> for $error {
            fn from(cause: $cause) -> Self {
                Self::of($kind::$of, cause)
            }
        })*
    };
}
