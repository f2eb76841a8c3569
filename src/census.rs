//! What a corpus was found to be like, kept to judge single articles as it would.

use crate::furniture::Mask;
use crate::rewordings::Notes;

/// What a corpus was found to be like.
#[derive(Debug, Default)]
pub(crate) struct Census {
    pub(crate) notes: Notes,
    /// What is furniture.
    pub(crate) mask: Mask,
}
