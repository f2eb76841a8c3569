//! Names for the variants of enums that users read and write: options, relations, stages.

/// Implements `Display` and `FromStr` for an enum by one list of names, which are those of its serialised form.
macro_rules! names {
    ($what:literal, $type:ty { $($variant:ident => $name:literal),+ $(,)? }) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(match self { $(Self::$variant => $name),+ })
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::Error;

            fn from_str(name: &str) -> $crate::Result<Self> {
                match name {
                    $($name => Ok(Self::$variant),)+
                    _ => {
                        let known = &[$($name),+];
                        Err($crate::Error::UnknownName { what: $what, given: name.into(), known })
                    }
                }
            }
        }
    };
}

pub(crate) use names;
