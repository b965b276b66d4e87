//! Elements of a page: every tag is closed, every text and attribute escaped.

use quick_xml::escape::escape;

use super::text::clean;

/// A page in the making. It is HTML and well-formed XML alike.
#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
}

/// An attribute of an element.
pub(super) type Attribute<'a> = (&'static str, &'a str);

impl Page {
    /// An element, and what `inside` puts into it.
    pub(super) fn element(
        &mut self,
        name: &'static str,
        attributes: &[Attribute<'_>],
        inside: impl FnOnce(&mut Self),
    ) {
        self.open(name, attributes);
        self.text.push('>');
        inside(self);
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push('>');
        if !matches!(name, "code" | "tspan") {
            self.text.push('\n');
        }
    }

    /// An element with words in it.
    pub(super) fn words(&mut self, name: &'static str, attributes: &[Attribute<'_>], words: &str) {
        self.element(name, attributes, |page| page.text(words));
    }

    /// An element that has nothing in it.
    pub(super) fn empty(&mut self, name: &'static str, attributes: &[Attribute<'_>]) {
        self.open(name, attributes);
        self.text.push_str("/>\n");
    }

    /// Words.
    pub(super) fn text(&mut self, words: &str) {
        self.text.push_str(&escape(clean(words).as_str()));
    }

    /// The program's own text, which is not escaped.
    pub(super) fn own(&mut self, text: &'static str) {
        self.text.push_str(text);
    }

    /// The page as text.
    pub(super) fn finish(self) -> String {
        self.text
    }

    fn open(&mut self, name: &'static str, attributes: &[Attribute<'_>]) {
        self.text.push('<');
        self.text.push_str(name);
        for (name, value) in attributes {
            self.text.push(' ');
            self.text.push_str(name);
            self.text.push_str("=\"");
            self.text(value);
            self.text.push('"');
        }
    }
}
