//! From the parser's events to the tree, within limits and without recursion.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, StrInput, Tag};

use super::errors::{syntax_error, too_deep, too_many, unprintable};
use super::marks::Marks;
use super::{Node, NodeKind, block, extent, scalar};
use crate::sigma::problem::{Problem, ProblemKind};
use crate::sigma::span::{Position, Span, Spanned};

/// The bytes of a file that are read: 4 MiB. What aliases repeat counts as if it were written out.
pub const MAX_BYTES: usize = 4 << 20;
/// How deep lists and maps may nest.
pub const MAX_DEPTH: usize = 64;
/// The nodes of a file, counting what aliases repeat.
pub const MAX_NODES: usize = 100_000;

type Tagged<'a> = Option<Cow<'a, Tag>>;

/// The documents before the first error, and the error.
pub(super) fn documents(text: &str) -> (Vec<Node>, Option<Problem>) {
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes, more than the {MAX_BYTES} that are read", text.len());
        return (Vec::new(), Some(Problem::new(ProblemKind::Limit, Span::START, message)));
    }
    if let Some(problem) = unprintable(text) {
        return (Vec::new(), Some(problem));
    }
    match block::document(text) {
        Some(document) => (vec![document], None),
        None => whole(text),
    }
}

/// As [`documents`], of a text that is neither too long nor holds what YAML does not allow, by the whole language.
pub(super) fn whole(text: &str) -> (Vec<Node>, Option<Problem>) {
    let mut reader = Reader::new(text);
    let problem = reader.run().err();
    (reader.documents, problem)
}

/// What a subtree costs.
#[derive(Clone, Copy, Default)]
struct Size {
    nodes: usize,
    bytes: usize,
    depth: usize,
}

/// A list or a map that is being read.
struct Open {
    anchor: usize,
    start: Position,
    size: Size,
    content: Content,
}

impl Open {
    fn awaits_key(&self) -> bool {
        matches!(self.content, Content::Mapping { key: None, .. })
    }
}

/// What has been read of a list or a map.
enum Content {
    Sequence(Vec<Node>),
    Mapping {
        entries: Vec<(Spanned<String>, Node)>,
        /// The line of each key, once they are many.
        seen: HashMap<String, u32>,
        /// The key whose value comes next.
        key: Option<Spanned<String>>,
    },
}

/// A node that is complete, and what repeating it costs.
#[derive(Clone)]
struct Done {
    node: Node,
    /// The text as a key would show it, where it is a scalar that is or may become one.
    text: Option<String>,
    size: Size,
}

struct Reader<'a> {
    marks: Marks<'a>,
    parser: Parser<'a, StrInput<'a>>,
    open: Vec<Open>,
    /// By the parser's number. An anchor is known from the end of its node on, so none can contain itself.
    anchors: BTreeMap<usize, Done>,
    /// Of the whole file.
    total: Size,
    root: Option<Node>,
    documents: Vec<Node>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            marks: Marks::new(text),
            parser: Parser::new_from_str(text),
            open: Vec::new(),
            anchors: BTreeMap::new(),
            total: Size::default(),
            root: None,
            documents: Vec::new(),
        }
    }

    fn run(&mut self) -> Result<(), Problem> {
        while let Some(event) = self.parser.next_event() {
            let (event, span) = event.map_err(|error| syntax_error(&error, &self.marks))?;
            let span = Span { start: self.position(span.start), end: self.position(span.end) };
            self.event(event, span)?;
        }
        Ok(())
    }

    fn position(&self, marker: Marker) -> Position {
        self.marks.position(marker.index())
    }

    fn event(&mut self, event: Event<'a>, span: Span) -> Result<(), Problem> {
        match event {
            Event::DocumentStart(_) => self.anchors.clear(),
            Event::DocumentEnd => self.end_document(),
            Event::Alias(id) => {
                let done = self.alias(id, span)?;
                self.place(done)?;
            }
            Event::Scalar(text, style, anchor, tag) => {
                let done = self.scalar(text, style, tag, span, anchor > 0)?;
                self.finish(anchor, done)?;
            }
            Event::SequenceStart(anchor, tag) => {
                check_collection_tag(tag, "seq", span)?;
                self.push(anchor, span, Content::Sequence(Vec::new()))?;
            }
            Event::MappingStart(anchor, tag) => {
                check_collection_tag(tag, "map", span)?;
                let content = Content::Mapping { entries: Vec::new(), seen: HashMap::new(), key: None };
                self.push(anchor, span, content)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.pop(span)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd => {}
        }
        Ok(())
    }

    /// A document without any content, such as a closing `---` begins, is none.
    fn end_document(&mut self) {
        let has_content = |root: &Node| !root.is_null() || root.span.start < root.span.end;
        self.documents.extend(self.root.take().filter(has_content));
    }

    fn scalar(
        &self,
        text: Cow<'a, str>,
        style: ScalarStyle,
        tag: Tagged<'a>,
        span: Span,
        anchored: bool,
    ) -> Result<Done, Problem> {
        let is_nothing = style == ScalarStyle::Plain && text.is_empty();
        let span = match self.open.last().map(|open| &open.content) {
            _ if !is_nothing => extent::scalar(&self.marks, style, span),
            Some(Content::Mapping { key: Some(key), .. }) => extent::nothing_after(&self.marks, key.span),
            _ => extent::nothing(&self.marks, span),
        };
        let size = Size { nodes: 1, bytes: text.len(), depth: 0 };
        if !anchored && tag.is_none() && matches!(self.open.last(), Some(open) if open.awaits_key()) {
            // What a key would be as a value is of no interest.
            let node = Node { kind: NodeKind::Null, span };
            return Ok(Done { node, text: Some(text.into_owned()), size });
        }
        let written = (anchored || tag.is_some()).then(|| text.clone().into_owned());
        let kind = match tag.as_deref() {
            Some(tag) => scalar::tagged(&full_tag(tag), &text)
                .map_err(|message| Problem::new(ProblemKind::Parse, span, message))?,
            None if style == ScalarStyle::Plain => scalar::plain(text),
            None => NodeKind::String(text.into_owned()),
        };
        Ok(Done { node: Node { kind, span }, text: written, size })
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<Done, Problem> {
        let Some(anchored) = self.anchors.get(&id) else {
            let message = "this alias names an anchor that contains it, or one of another document";
            return Err(Problem::new(ProblemKind::Parse, span, message));
        };
        let mut done = anchored.clone();
        done.node.span = span;
        self.charge(done.size, span)?;
        Ok(done)
    }

    fn push(&mut self, anchor: usize, span: Span, content: Content) -> Result<(), Problem> {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(span));
        }
        if self.open.last().is_some_and(Open::awaits_key) {
            let message = "a list or a map cannot be a key";
            return Err(Problem::new(ProblemKind::Parse, span, message).with_help("quote it if it is text"));
        }
        let start = match content {
            Content::Sequence(_) => extent::sequence_start(&self.marks, span),
            Content::Mapping { .. } => span.start,
        };
        self.open.push(Open { anchor, start, size: Size::default(), content });
        Ok(())
    }

    fn pop(&mut self, span: Span) -> Result<(), Problem> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let (kind, last) = match open.content {
            Content::Sequence(items) => {
                let last = items.last().map(|item| item.span.end);
                (NodeKind::Sequence(items), last)
            }
            Content::Mapping { entries, .. } => {
                let last = entries.last().map(|(key, value)| key.span.end.max(value.span.end));
                (NodeKind::Mapping(entries), last)
            }
        };
        // Only flow collections end in a token of their own; the others end with their last child.
        let closing = (span.start != span.end).then(|| span.start.after("]"));
        let end = closing.or(last).unwrap_or(span.end).max(open.start);
        let node = Node { kind, span: Span { start: open.start, end } };
        let size = Size { nodes: open.size.nodes + 1, bytes: open.size.bytes, depth: open.size.depth + 1 };
        self.finish(open.anchor, Done { node, text: None, size })
    }

    /// Counts a node that is written out, and keeps it if it has an anchor.
    fn finish(&mut self, anchor: usize, done: Done) -> Result<(), Problem> {
        self.charge(Size { nodes: 1, ..Size::default() }, done.node.span)?;
        if anchor > 0 {
            // The anchors of a file together cost no more than its aliases may.
            self.charge(Size { depth: 0, ..done.size }, done.node.span)?;
            self.anchors.insert(anchor, done.clone());
        }
        self.place(done)
    }

    fn charge(&mut self, size: Size, span: Span) -> Result<(), Problem> {
        self.total.nodes = self.total.nodes.saturating_add(size.nodes);
        self.total.bytes = self.total.bytes.saturating_add(size.bytes);
        if self.total.nodes > MAX_NODES || self.total.bytes > MAX_BYTES {
            return Err(too_many(span));
        }
        if self.open.len() + size.depth > MAX_DEPTH {
            return Err(too_deep(span));
        }
        Ok(())
    }

    /// Puts a node where the parser stands: into the innermost list or map, or as the root.
    fn place(&mut self, done: Done) -> Result<(), Problem> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(done.node);
            return Ok(());
        };
        open.size.nodes += done.size.nodes;
        open.size.bytes += done.size.bytes;
        open.size.depth = open.size.depth.max(done.size.depth);
        match &mut open.content {
            Content::Sequence(items) => items.push(done.node),
            Content::Mapping { entries, key, seen } => match key.take() {
                Some(key) => entries.push((key, done.node)),
                None => *key = Some(new_key(done, entries, seen)?),
            },
        }
        Ok(())
    }
}

/// Keys of a map that are looked through; beyond, they are hashed.
const FEW_KEYS: usize = 16;

fn new_key(
    done: Done,
    entries: &[(Spanned<String>, Node)],
    seen: &mut HashMap<String, u32>,
) -> Result<Spanned<String>, Problem> {
    let Some(text) = done.text else {
        let message = "a list or a map cannot be a key";
        return Err(Problem::new(ProblemKind::Parse, done.node.span, message));
    };
    let first = if entries.len() < FEW_KEYS {
        entries.iter().find(|(key, _)| key.value == text).map(|(key, _)| key.span.start.line)
    } else {
        if seen.is_empty() {
            seen.extend(entries.iter().map(|(key, _)| (key.value.clone(), key.span.start.line)));
        }
        seen.insert(text.clone(), done.node.span.start.line)
    };
    if let Some(line) = first {
        let message = format!("the key `{text}` stands twice in this map, first on line {line}");
        return Err(Problem::new(ProblemKind::Parse, done.node.span, message)
            .with_help("rename or remove one; a list of maps has a dash before each map"));
    }
    Ok(Spanned::new(text, done.node.span))
}

fn check_collection_tag(tag: Tagged<'_>, core: &str, span: Span) -> Result<(), Problem> {
    match tag.as_deref().map(full_tag) {
        Some(tag) if !scalar::collection_takes(&tag, core) => {
            let message = format!("the tag `{}` is not one that this can have", scalar::shown(&tag));
            Err(Problem::new(ProblemKind::Parse, span, message).with_help("remove the tag"))
        }
        _ => Ok(()),
    }
}

fn full_tag(tag: &Tag) -> String {
    format!("{}{}", tag.handle, tag.suffix)
}
