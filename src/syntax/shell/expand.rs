//! The commands that run when a shell expands a word, the head of a compound command or a here-document.

use shuck_ast::{
    self as ast, BourneParameterExpansion as Bourne, CompoundCommand, ConditionalExpr,
    HeredocBodyPart, WordPart, WordPartNode,
};

use super::convert::{Converter, Range, compound_node};
use super::{CompoundKind, Statement};

impl Converter<'_> {
    /// The commands inside `$( … )`, backticks and `<( … )`, those in `${…}` and `$((…))` too. Where their own places are
    /// uncertain (backticks), they are that of the whole word.
    pub(super) fn substitutions(
        &self,
        parts: &[WordPartNode],
        word: Range,
    ) -> Option<Vec<Statement>> {
        let mut found = Vec::new();
        for part in parts {
            match &part.kind {
                WordPart::CommandSubstitution { body, .. }
                | WordPart::ProcessSubstitution { body, .. } => {
                    found.extend(self.substituted(body, word));
                }
                WordPart::DoubleQuoted { parts, .. } => {
                    found.extend(self.substitutions(parts, word)?);
                }
                other => found.extend(self.of_words(inner_words(other), word)?),
            }
        }
        Some(found)
    }

    /// Those in what a compound command says itself: `for x in $(…)`, `case $(…) in`, `[[ $(…) ]]`.
    pub(super) fn of_compound(
        &self,
        compound: &CompoundCommand,
        place: Range,
    ) -> Option<Vec<Statement>> {
        let words: Vec<&ast::Word> = match compound {
            CompoundCommand::For(command) => command.words.iter().flatten().collect(),
            CompoundCommand::Case(command) => {
                let patterns = command.cases.iter().flat_map(|case| &case.patterns);
                let patterns = patterns.flat_map(words_of_pattern);
                std::iter::once(&command.word).chain(patterns).collect()
            }
            CompoundCommand::Conditional(command) => words_of_condition(&command.expression),
            CompoundCommand::Arithmetic(_) => {
                let text = self.slice(place);
                let runs = text.contains("$(") || text.contains('`');
                return Some(Vec::from_iter(runs.then(|| self.opaque_statement(place))));
            }
            _ => Vec::new(),
        };
        self.of_words(words, place)
    }

    /// Those in the body of a here-document, at `place`.
    pub(super) fn of_heredoc(
        &self,
        body: &ast::HeredocBody,
        place: Range,
    ) -> Option<Vec<Statement>> {
        let mut found = Vec::new();
        for part in &body.parts {
            let words = match &part.kind {
                HeredocBodyPart::CommandSubstitution { body, .. } => {
                    found.extend(self.substituted(body, place));
                    continue;
                }
                HeredocBodyPart::ArithmeticExpansion {
                    expression_word_ast,
                    ..
                } => vec![&**expression_word_ast],
                HeredocBodyPart::Parameter(expansion) => words_of_parameter(expansion),
                HeredocBodyPart::Literal(_) | HeredocBodyPart::Variable(_) => continue,
            };
            found.extend(self.of_words(words, place)?);
        }
        Some(found)
    }

    /// Those in several words, at `place`.
    pub(super) fn of_words(&self, words: Vec<&ast::Word>, place: Range) -> Option<Vec<Statement>> {
        let mut found = Vec::new();
        for word in words {
            found.extend(self.substitutions(&word.parts, place)?);
        }
        Some(found)
    }

    fn substituted(&self, body: &ast::StmtSeq, word: Range) -> Vec<Statement> {
        match self.list(body) {
            Some((list, _)) => list,
            None => vec![self.opaque_statement(word)],
        }
    }

    /// A statement of which nothing but its place is known.
    fn opaque_statement(&self, place: Range) -> Statement {
        Statement {
            node: compound_node(CompoundKind::Other, Vec::new()),
            span: self.span(place),
            negated: false,
            redirects: Vec::new(),
            operator: None,
        }
    }
}

/// The words that an assignment assigns.
pub(super) fn assigned(value: &ast::AssignmentValue) -> Vec<&ast::Word> {
    match value {
        ast::AssignmentValue::Scalar(word) => vec![word],
        ast::AssignmentValue::Compound(array) => {
            let elements = array.elements.iter().map(|element| match element {
                ast::ArrayElem::Sequential(value)
                | ast::ArrayElem::Keyed { value, .. }
                | ast::ArrayElem::KeyedAppend { value, .. } => &value.word,
            });
            elements.collect()
        }
    }
}

/// The words inside `${…}` and `$((…))`.
fn inner_words(part: &WordPart) -> Vec<&ast::Word> {
    match part {
        WordPart::ArithmeticExpansion {
            expression_word_ast,
            ..
        } => vec![expression_word_ast],
        WordPart::Parameter(expansion) => words_of_parameter(expansion),
        WordPart::ParameterExpansion {
            operator,
            operand_word_ast,
            ..
        } => words_of_operator(Some(operator), operand_word_ast.as_deref()),
        WordPart::IndirectExpansion {
            operator,
            operand_word_ast,
            ..
        } => words_of_operator(operator.as_deref(), operand_word_ast.as_deref()),
        WordPart::Substring {
            offset_word_ast,
            length_word_ast,
            ..
        }
        | WordPart::ArraySlice {
            offset_word_ast,
            length_word_ast,
            ..
        } => words_of_slice(offset_word_ast, length_word_ast.as_deref()),
        _ => Vec::new(),
    }
}

fn words_of_parameter(expansion: &ast::ParameterExpansion) -> Vec<&ast::Word> {
    match expansion.bourne() {
        Some(Bourne::Operation {
            operator,
            operand_word_ast,
            ..
        }) => words_of_operator(Some(operator), operand_word_ast.as_deref()),
        Some(Bourne::Indirect {
            operator,
            operand_word_ast,
            ..
        }) => words_of_operator(operator.as_deref(), operand_word_ast.as_deref()),
        Some(Bourne::Slice {
            offset_word_ast,
            length_word_ast,
            ..
        }) => words_of_slice(offset_word_ast, length_word_ast.as_deref()),
        _ => Vec::new(),
    }
}

fn words_of_slice<'a>(offset: &'a ast::Word, length: Option<&'a ast::Word>) -> Vec<&'a ast::Word> {
    std::iter::once(offset).chain(length).collect()
}

fn words_of_operator<'a>(
    operator: Option<&'a ast::ParameterOp>,
    operand: Option<&'a ast::Word>,
) -> Vec<&'a ast::Word> {
    use ast::ParameterOp as Op;
    let mut words: Vec<&ast::Word> = operand.into_iter().collect();
    if let Some(operator) = operator {
        words.extend(operator.replacement_word_ast());
        if let Op::RemovePrefixShort { pattern }
        | Op::RemovePrefixLong { pattern }
        | Op::RemoveSuffixShort { pattern }
        | Op::RemoveSuffixLong { pattern }
        | Op::ReplaceFirst { pattern, .. }
        | Op::ReplaceAll { pattern, .. } = operator
        {
            words.extend(words_of_pattern(pattern));
        }
    }
    words
}

fn words_of_pattern(pattern: &ast::Pattern) -> Vec<&ast::Word> {
    let words = pattern.parts.iter().flat_map(|part| match &part.kind {
        ast::PatternPart::Word(word) => vec![word],
        ast::PatternPart::Group { patterns, .. } => {
            patterns.iter().flat_map(words_of_pattern).collect()
        }
        _ => Vec::new(),
    });
    words.collect()
}

fn words_of_condition(condition: &ConditionalExpr) -> Vec<&ast::Word> {
    match condition {
        ConditionalExpr::Binary(both) => {
            let mut words = words_of_condition(&both.left);
            words.extend(words_of_condition(&both.right));
            words
        }
        ConditionalExpr::Unary(one) => words_of_condition(&one.expr),
        ConditionalExpr::Parenthesized(inner) => words_of_condition(&inner.expr),
        ConditionalExpr::Word(word) | ConditionalExpr::Regex(word) => vec![word],
        ConditionalExpr::Pattern(pattern) => words_of_pattern(pattern),
        ConditionalExpr::VarRef(_) => Vec::new(),
    }
}
