//! From `shuck-ast` to our own types.
//!
//! The crate's statement spans reach over operators and leave out parentheses, so places are taken from words,
//! redirects, keywords and operators only, and the result is checked: between two statements there is nothing but the
//! operator, white space and comments. Where that does not hold, the script is opaque.

use shuck_ast::{self as ast, BinaryOp, BuiltinCommand, CompoundCommand, StmtTerminator};

use super::expand;
use super::literal::literal;
use super::{Command, Compound, CompoundKind, Node, Operator, Redirect, Script, Statement, Word};
use crate::syntax::Logical;
use crate::text::Span;

/// The script, or `None` where a place is uncertain.
pub(super) fn script(file: &ast::File, text: &str, logical: &Logical) -> Option<Script> {
    let converter = Converter { text, logical };
    let (statements, range) = converter.list(&file.body)?;
    Some(Script {
        statements,
        span: converter.span(range),
    })
}

/// Bytes `start..end` of the parsed text.
pub(super) type Range = (usize, usize);

pub(super) struct Converter<'a> {
    text: &'a str,
    logical: &'a Logical,
}

/// A statement of a flattened list: `a && b; c` is three of them.
struct Element<'a> {
    statement: &'a ast::Stmt,
    operator: Option<(Operator, Range)>,
}

impl Converter<'_> {
    pub(super) fn span(&self, (start, end): Range) -> Span {
        self.logical.file_span(start as u32, end as u32)
    }

    pub(super) fn slice(&self, (start, end): Range) -> &str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// A list and the range from its first to its last byte, the last terminator included.
    pub(super) fn list(&self, sequence: &ast::StmtSeq) -> Option<(Vec<Statement>, Range)> {
        let mut elements = Vec::new();
        for (index, statement) in sequence.iter().enumerate() {
            let is_last = index + 1 == sequence.len();
            let operator = match (statement.terminator, statement.terminator_span) {
                (Some(StmtTerminator::Semicolon), Some(span)) => {
                    Some((Operator::Semicolon, range(span)))
                }
                (Some(StmtTerminator::Background(_)), Some(span)) => {
                    Some((Operator::Background, range(span)))
                }
                (None, _) if is_last => None,
                (None, _) => Some((Operator::Newline, (0, 0))),
                _ => return None,
            };
            flatten(statement, operator, &mut elements)?;
        }
        let mut statements = Vec::with_capacity(elements.len());
        let mut whole: Option<Range> = None;
        for element in elements {
            let (node, place) = self.node(element.statement)?;
            let previous = whole.map_or(place.0, |(_, end)| end);
            self.is_filler(self.text.get(previous..place.0)?)
                .then_some(())?;
            let operator = match element.operator {
                Some((Operator::Newline, _)) => {
                    let at = place.1 + self.text.get(place.1..)?.find('\n')?;
                    Some((Operator::Newline, (at, at + 1)))
                }
                Some((operator, span)) => {
                    let span = (span.0, span.1);
                    self.is_filler(self.text.get(place.1..span.0)?)
                        .then_some(())?;
                    Some((operator, span))
                }
                None => None,
            };
            let end = operator.map_or(place.1, |(_, span)| span.1);
            whole = Some((whole.map_or(place.0, |(start, _)| start), end));
            statements.push(Statement {
                node,
                span: self.span(place),
                negated: element.statement.negated,
                redirects: self.compound_redirects(element.statement)?,
                operator: operator.map(|(operator, span)| (operator, self.span(span))),
            });
        }
        Some((statements, whole.unwrap_or((0, 0))))
    }

    /// Whether there is nothing but white space and comments.
    fn is_filler(&self, text: &str) -> bool {
        let mut lines = text.lines();
        lines.all(|line| {
            let line = line.trim_start();
            line.is_empty() || line.starts_with('#')
        })
    }

    fn compound_redirects(&self, statement: &ast::Stmt) -> Option<Vec<Redirect>> {
        match statement.command {
            ast::Command::Compound(_) | ast::Command::Function(_) => {
                self.redirects(&statement.redirects)
            }
            _ => Some(Vec::new()),
        }
    }

    /// What a statement is, and where it stands, its redirects included.
    fn node(&self, statement: &ast::Stmt) -> Option<(Node, Range)> {
        let (node, mut place) = match &statement.command {
            ast::Command::Binary(binary) if is_pipe(binary.op) => self.pipeline(statement)?,
            ast::Command::Compound(compound) => self.compound(compound, statement)?,
            ast::Command::Function(function) => {
                let (list, (_, end)) = self.single(&function.body)?;
                let kind = CompoundKind::Function;
                let start = function.span.start.offset();
                (compound_node(kind, vec![list]), (start, end))
            }
            ast::Command::Simple(_) | ast::Command::Builtin(_) | ast::Command::Decl(_) => {
                self.command(statement)?
            }
            _ => return None,
        };
        for redirect in &statement.redirects {
            place.1 = place.1.max(redirect_range(redirect).1);
        }
        if statement.negated {
            let bang = self.text.get(..place.0)?.trim_end();
            place.0 = bang.strip_suffix('!')?.len();
        }
        Some((node, place))
    }

    fn single(&self, statement: &ast::Stmt) -> Option<(Vec<Statement>, Range)> {
        let (node, place) = self.node(statement)?;
        let statement = Statement {
            node,
            span: self.span(place),
            negated: statement.negated,
            redirects: self.compound_redirects(statement)?,
            operator: None,
        };
        Some((vec![statement], place))
    }

    fn pipeline(&self, statement: &ast::Stmt) -> Option<(Node, Range)> {
        let mut members = Vec::new();
        let mut todo = vec![statement];
        while let Some(next) = todo.pop() {
            match &next.command {
                ast::Command::Binary(binary) if is_pipe(binary.op) => {
                    todo.push(&binary.right);
                    todo.push(&binary.left);
                }
                ast::Command::Binary(_) => return None,
                _ => members.push(next),
            }
        }
        let mut statements = Vec::new();
        let mut whole: Option<Range> = None;
        for member in members {
            let (list, place) = self.single(member)?;
            statements.extend(list);
            whole = Some((whole.map_or(place.0, |(start, _)| start), place.1));
        }
        Some((Node::Pipeline(statements), whole?))
    }

    fn compound(&self, compound: &CompoundCommand, statement: &ast::Stmt) -> Option<(Node, Range)> {
        let start = statement.span.start.offset();
        let (kind, lists, end) = match compound {
            CompoundCommand::Subshell(body) => return self.group(body, '(', ')'),
            CompoundCommand::BraceGroup(body) => return self.group(body, '{', '}'),
            CompoundCommand::If(command) => {
                let ast::IfSyntax::ThenFi { fi_span, .. } = command.syntax else {
                    return None;
                };
                let mut lists = vec![&command.condition, &command.then_branch];
                for (condition, branch) in &command.elif_branches {
                    lists.extend([condition, branch]);
                }
                lists.extend(&command.else_branch);
                (CompoundKind::If, lists, fi_span.end.offset())
            }
            CompoundCommand::For(command) => {
                let ast::ForSyntax::InDoDone { done_span, .. } = command.syntax else {
                    return None;
                };
                (
                    CompoundKind::Loop,
                    vec![&command.body],
                    done_span.end.offset(),
                )
            }
            CompoundCommand::While(command) => {
                let lists = vec![&command.condition, &command.body];
                (CompoundKind::Loop, lists, command.done_span?.end.offset())
            }
            CompoundCommand::Until(command) => {
                let lists = vec![&command.condition, &command.body];
                (CompoundKind::Loop, lists, command.done_span?.end.offset())
            }
            CompoundCommand::Case(command) => {
                let lists = command.cases.iter().map(|case| &case.body).collect();
                (CompoundKind::Case, lists, command.esac_span.end.offset())
            }
            CompoundCommand::Conditional(command) => {
                let end = command.right_bracket_span.end.offset();
                (CompoundKind::Other, Vec::new(), end)
            }
            CompoundCommand::Arithmetic(command) => {
                let end = command.right_paren_span.end.offset();
                (CompoundKind::Other, Vec::new(), end)
            }
            CompoundCommand::Time(command) => {
                let (list, (_, end)) = self.single(command.command.as_deref()?)?;
                return Some((compound_node(CompoundKind::Other, vec![list]), (start, end)));
            }
            _ => return None,
        };
        let lists = lists.into_iter().map(|list| Some(self.list(list)?.0));
        let lists = lists.collect::<Option<Vec<_>>>()?;
        let substitutions = self.of_compound(compound, (start, end))?;
        let node = Node::Compound(Compound {
            kind,
            lists,
            substitutions,
        });
        Some((node, (start, end)))
    }

    /// `( … )` or `{ …; }`: the brackets are looked for around the list.
    fn group(&self, body: &ast::StmtSeq, open: char, close: char) -> Option<(Node, Range)> {
        let (list, (start, end)) = self.list(body)?;
        let kind = match open {
            '(' => CompoundKind::Subshell,
            _ => CompoundKind::Group,
        };
        let before = self.text.get(..start)?.trim_end();
        let start = before.strip_suffix(open)?.len();
        let after = self.text.get(end..)?;
        let close = after.find(close)? + 1;
        self.is_filler(after.get(..close - 1)?).then_some(())?;
        Some((compound_node(kind, vec![list]), (start, end + close)))
    }

    fn command(&self, statement: &ast::Stmt) -> Option<(Node, Range)> {
        let (assignments, words) = self.words_of(&statement.command)?;
        let redirects = self.redirects(&statement.redirects)?;
        let places = statement.redirects.iter().map(redirect_range);
        let all = assignments.iter().chain(&words).map(|(_, place)| *place);
        let place = all
            .chain(places)
            .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
        let plain = |words: Vec<(Word, Range)>| words.into_iter().map(|(word, _)| word).collect();
        let command = Command {
            span: self.span(place),
            assignments: plain(assignments),
            words: plain(words),
            redirects,
        };
        Some((Node::Command(command), place))
    }

    /// Assignments, and name with arguments, of a simple command.
    #[allow(clippy::type_complexity)]
    fn words_of(&self, command: &ast::Command) -> Option<(Vec<(Word, Range)>, Vec<(Word, Range)>)> {
        let mut words = Vec::new();
        let assignments = match command {
            ast::Command::Simple(simple) => {
                let named = simple.name.span.start != simple.name.span.end;
                let name = named.then_some(&simple.name);
                for word in name.into_iter().chain(&simple.args) {
                    words.push(self.word(word)?);
                }
                &simple.assignments
            }
            ast::Command::Decl(decl) => {
                words.push(self.plain(range(decl.variant_span)));
                for operand in &decl.operands {
                    words.push(match operand {
                        ast::DeclOperand::Flag(word) | ast::DeclOperand::Dynamic(word) => {
                            self.word(word)?
                        }
                        ast::DeclOperand::Name(name) => self.plain(range(name.span)),
                        ast::DeclOperand::Assignment(assignment) => self.assignment(assignment)?,
                    });
                }
                &decl.assignments
            }
            ast::Command::Builtin(builtin) => {
                let (name, first, rest, assignments, span) = match builtin {
                    BuiltinCommand::Break(c) => {
                        ("break", &c.depth, &c.extra_args, &c.assignments, c.span)
                    }
                    BuiltinCommand::Continue(c) => {
                        ("continue", &c.depth, &c.extra_args, &c.assignments, c.span)
                    }
                    BuiltinCommand::Return(c) => {
                        ("return", &c.code, &c.extra_args, &c.assignments, c.span)
                    }
                    BuiltinCommand::Exit(c) => {
                        ("exit", &c.code, &c.extra_args, &c.assignments, c.span)
                    }
                };
                let from = assignments.last().map_or(span.start, |a| a.span.end);
                let at = from.offset() + self.text.get(from.offset()..)?.find(name)?;
                words.push(self.plain((at, at + name.len())));
                for word in first.iter().chain(rest) {
                    words.push(self.word(word)?);
                }
                assignments
            }
            _ => return None,
        };
        let assignments = assignments.iter().map(|one| self.assignment(one));
        Some((assignments.collect::<Option<_>>()?, words))
    }

    fn plain(&self, place: Range) -> (Word, Range) {
        let text = self.slice(place).to_owned();
        let word = Word {
            span: self.span(place),
            literal: literal(&text),
            text,
            substitutions: Vec::new(),
        };
        (word, place)
    }

    fn assignment(&self, assignment: &ast::Assignment) -> Option<(Word, Range)> {
        let (mut word, place) = self.plain(range(assignment.span));
        word.substitutions = self.of_words(expand::assigned(&assignment.value), place)?;
        Some((word, place))
    }

    fn word(&self, word: &ast::Word) -> Option<(Word, Range)> {
        let (start, end) = range(word.span);
        let text = self.text.get(start..end)?;
        let trimmed = text.trim_end();
        // A blank behind a backslash belongs to the word.
        let kept = match trimmed.ends_with('\\') {
            true => text.len(),
            false => trimmed.len(),
        };
        let (mut ours, place) = self.plain((start, start + kept));
        ours.substitutions = self.substitutions(&word.parts, place)?;
        Some((ours, place))
    }

    fn redirects(&self, redirects: &[ast::Redirect]) -> Option<Vec<Redirect>> {
        redirects.iter().map(|one| self.redirect(one)).collect()
    }

    fn redirect(&self, redirect: &ast::Redirect) -> Option<Redirect> {
        let place = redirect_range(redirect);
        let (target, target_place) = match &redirect.target {
            ast::RedirectTarget::Word(word) if range(word.span).0 > place.0 => self.word(word)?,
            // `2>&1`: the crate gives the target no place of its own.
            ast::RedirectTarget::Word(_) => {
                let operator = self.slice(place).rfind(['&', '<', '>'])? + 1;
                self.plain((place.0 + operator, place.1))
            }
            ast::RedirectTarget::Heredoc(heredoc) => {
                let (mut target, place) = self.plain(range(heredoc.delimiter.span));
                target.substitutions = self.of_heredoc(&heredoc.body, place)?;
                (target, place)
            }
        };
        let operator = self.text.get(place.0..target_place.0)?.trim_end();
        Some(Redirect {
            span: self.span((place.0, target_place.1)),
            operator: operator.to_owned(),
            target,
        })
    }
}

pub(super) fn compound_node(kind: CompoundKind, lists: Vec<Vec<Statement>>) -> Node {
    Node::Compound(Compound {
        kind,
        lists,
        substitutions: Vec::new(),
    })
}

fn is_pipe(op: BinaryOp) -> bool {
    matches!(op, BinaryOp::Pipe | BinaryOp::PipeAll)
}

fn range(span: ast::Span) -> Range {
    (span.start.offset(), span.end.offset())
}

fn redirect_range(redirect: &ast::Redirect) -> Range {
    let (start, end) = range(redirect.span);
    match &redirect.target {
        ast::RedirectTarget::Word(word) if range(word.span).0 > start => {
            (start, end.max(range(word.span).1))
        }
        ast::RedirectTarget::Word(_) => (start, end),
        ast::RedirectTarget::Heredoc(heredoc) => (start, range(heredoc.delimiter.span).1),
    }
}

/// Takes `a && b || c` apart: the crate nests it to the left.
fn flatten<'a>(
    statement: &'a ast::Stmt,
    operator: Option<(Operator, Range)>,
    elements: &mut Vec<Element<'a>>,
) -> Option<()> {
    let mut todo = vec![(statement, operator)];
    while let Some((statement, operator)) = todo.pop() {
        let ast::Command::Binary(binary) = &statement.command else {
            elements.push(Element {
                statement,
                operator,
            });
            continue;
        };
        let joint = match binary.op {
            BinaryOp::And => Operator::And,
            BinaryOp::Or => Operator::Or,
            _ => {
                elements.push(Element {
                    statement,
                    operator,
                });
                continue;
            }
        };
        // A negation or redirect of a whole list cannot be written without brackets.
        if statement.negated || !statement.redirects.is_empty() {
            return None;
        }
        todo.push((&binary.right, operator));
        todo.push((&binary.left, Some((joint, range(binary.op_span)))));
    }
    Some(())
}
