//! Words of a scenario, and the lines they stand on.

/// A word of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its text, without quotes.
    pub text: String,
    /// Whether it stood in quotes, so that it is never a keyword.
    pub quoted: bool,
}

impl Token {
    /// Whether this is the unquoted word.
    pub fn is(&self, word: &str) -> bool {
        !self.quoted && self.text == word
    }

    /// How the token is written.
    pub fn shown(&self) -> String {
        if self.quoted { quote(&self.text) } else { self.text.clone() }
    }
}

/// A line with its continuations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Number of its first line in the file, from 1.
    pub number: usize,
    /// Its words.
    pub tokens: Vec<Token>,
}

/// Why a text is not made of words; the number of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadText(pub usize, pub String);

/// Words as written, with a space between them.
pub fn shown(tokens: &[Token]) -> String {
    let mut text = String::new();
    for token in tokens {
        let closes = matches!(token.text.as_str(), "," | ":" | "]" | ";") && !token.quoted;
        if !text.is_empty() && !closes && !text.ends_with('[') {
            text.push(' ');
        }
        text.push_str(&token.shown());
    }
    text
}

/// A text in quotes.
pub fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A keyword or an enumerated word, however it is spelt: small letters, `-` between words.
pub fn plain(text: &str) -> String {
    text.to_ascii_lowercase().replace(['_', ' '], "-")
}

/// The lines of a file. A line that begins with a space continues the one before, unless that one
/// opened a block with `{`. Inside a block every line is an act of its own.
pub fn lines(text: &str) -> Result<Vec<Line>, BadText> {
    let mut lines: Vec<Line> = Vec::new();
    let mut in_block = false;
    for (number, text) in (1..).zip(text.lines()) {
        let tokens = tokens(text).map_err(|e| BadText(number, e))?;
        let Some(first) = tokens.first() else { continue };
        let indented = text.starts_with([' ', '\t']);
        let joins = if in_block { first.is("}") } else { indented && !first.is("and") };
        let opens = tokens.last().is_some_and(|t| t.is("{"));
        let closes = in_block && first.is("}");
        match lines.last_mut() {
            Some(line) if in_block => {
                if !joins && !line.tokens.last().is_some_and(|t| t.is("{")) {
                    line.tokens.push(word(";"));
                }
                line.tokens.extend(tokens);
            }
            Some(line) if joins => line.tokens.extend(tokens),
            Some(_) | None => lines.push(Line { number, tokens }),
        }
        in_block = opens || (in_block && !closes);
    }
    Ok(lines)
}

fn word(text: &str) -> Token {
    Token { text: text.into(), quoted: false }
}

/// The words of one line, up to a comment.
pub fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    let mut begun = String::new();
    while let Some(c) = chars.next() {
        match c {
            '#' if begun.is_empty() => break,
            '"' | '“' | '”' => {
                end(&mut begun, &mut tokens);
                tokens.push(Token { text: quoted(&mut chars)?, quoted: true });
            }
            ',' | '[' | ']' | '{' | '}' | ';' | '=' | '，' => {
                end(&mut begun, &mut tokens);
                tokens.push(word(&if c == '，' { ',' } else { c }.to_string()));
            }
            '→' => {
                end(&mut begun, &mut tokens);
                tokens.push(word("->"));
            }
            c if c.is_whitespace() => end(&mut begun, &mut tokens),
            c => begun.push(c),
        }
    }
    end(&mut begun, &mut tokens);
    Ok(tokens)
}

/// Ends a word; a colon at its end is a word of its own, and so is an arrow at its begin.
fn end(begun: &mut String, tokens: &mut Vec<Token>) {
    let text = std::mem::take(begun);
    let (arrow, rest) = match text.strip_prefix("->") {
        Some(rest) => (true, rest),
        None => (false, text.as_str()),
    };
    if arrow {
        tokens.push(word("->"));
    }
    let (rest, colon) = match rest.strip_suffix([':', '：']) {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    if !rest.is_empty() {
        tokens.push(word(rest));
    }
    if colon {
        tokens.push(word(":"));
    }
}

fn quoted(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String, String> {
    let mut text = String::new();
    loop {
        match chars.next() {
            Some('"' | '”' | '“') => return Ok(text),
            Some('\\') => match chars.next() {
                Some(c @ ('"' | '\\')) => text.push(c),
                Some(c) => text.extend(['\\', c]),
                None => return Err("a quoted text does not end".into()),
            },
            Some(c) => text.push(c),
            None => return Err("a quoted text does not end on its line".into()),
        }
    }
}

/// The words nearest to one that is unknown, for a hint.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = plain(word);
    known
        .map(|k| (distance(&word, &plain(k)), k))
        .filter(|(d, k)| *d <= k.len().max(word.len()) / 2)
        .min()
        .map(|(_, k)| k)
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, c) in a.chars().take(64).enumerate() {
        let mut next = vec![i.saturating_add(1)];
        for (j, d) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX);
            let change = at(&row, j).saturating_add(usize::from(c != *d));
            let remove = at(&row, j.saturating_add(1)).saturating_add(1);
            let insert = at(&next, j).saturating_add(1);
            next.push(change.min(remove).min(insert));
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_quotes_comments_and_continuations() {
        let text = "# story\nas a: do \"x \\\"y\\\"\", z # why\n  for b -> ok\n\nas c together: {\n  one\n  two\n} -> ok\nlast";
        let shown: Vec<(usize, String)> =
            lines(text).unwrap().iter().map(|l| (l.number, shown(&l.tokens))).collect();
        assert_eq!(
            shown,
            [
                (2, "as a: do \"x \\\"y\\\"\", z for b -> ok".to_owned()),
                (5, "as c together: { one; two } -> ok".to_owned()),
                (9, "last".to_owned()),
            ]
        );
        assert_eq!(
            lines("a\nb \"c"),
            Err(BadText(2, "a quoted text does not end on its line".into()))
        );
    }

    #[test]
    fn the_nearest_word_is_found() {
        let known = ["offer grant", "accept grant", "register"];
        assert_eq!(nearest("ofer grant", known.into_iter()), Some("offer grant"));
        assert_eq!(nearest("zzzz", known.into_iter()), None);
    }
}
