//! An article with all that articles can have, for tests that need more than an id and a text.

use retold::Article;

/// An article with all that articles can have.
#[derive(Clone, Default)]
pub struct Story {
    pub id: String,
    pub text: String,
    pub date: Option<String>,
    pub source: Option<String>,
    pub is_known: bool,
}

impl Article for Story {
    fn id(&self) -> &str {
        &self.id
    }

    fn text(&self) -> &str {
        &self.text
    }

    fn date(&self) -> Option<&str> {
        self.date.as_deref()
    }

    fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    fn is_known(&self) -> bool {
        self.is_known
    }
}
