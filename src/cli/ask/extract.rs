//! The code block out of an answer, for `relay ask --extract`.

use clap::ValueEnum;

use crate::chat::fence::Fences;

/// Which block is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Extract {
    First,
    Last,
    /// The first one, whole or not; where there is none, the whole answer.
    Lax,
}

/// The wanted block's lines, without the fences and without the indent they share with them.
pub fn extract(answer: &str, which: Extract) -> Option<String> {
    let mut blocks = blocks(answer);
    // Half of a program is worse than none: a block that breaks off counts for the lax alone.
    blocks.retain(|block| block.is_closed || which == Extract::Lax);
    let block = if which == Extract::Last { blocks.pop() } else { blocks.into_iter().next() };
    match (block, which) {
        (Some(block), _) => Some(block.text),
        (None, Extract::Lax) => Some(answer.to_owned()),
        (None, _) => None,
    }
}

#[derive(Debug, Default)]
struct Block {
    text: String,
    is_closed: bool,
}

fn blocks(answer: &str) -> Vec<Block> {
    let mut fences = Fences::default();
    let mut blocks: Vec<Block> = Vec::new();
    let mut indent = 0;
    for line in answer.split_inclusive('\n') {
        let was_code = fences.is_code();
        fences.follow(line);
        if !line.ends_with('\n') {
            // A last line without its end is a line all the same.
            fences.follow("\n");
        }
        match (was_code, fences.is_code(), blocks.last_mut()) {
            (false, true, _) => {
                indent = line.find(['`', '~']).unwrap_or(0);
                blocks.push(Block::default());
            }
            (true, true, Some(block)) => block.text.push_str(without_indent(line, indent)),
            (true, false, Some(block)) => block.is_closed = true,
            _ => {}
        }
    }
    blocks
}

/// The line without up to `most` blanks or quote marks at its beginning.
fn without_indent(line: &str, most: usize) -> &str {
    let blanks = line.bytes().take(most).take_while(|byte| matches!(byte, b' ' | b'\t' | b'>')).count();
    &line[blanks..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_or_the_last_block_is_taken() {
        let answer = "Try:\n```sh\nls -l\n```\nor\n~~~~\n```\ninner\n```\n~~~~\nDone.";
        assert_eq!(extract(answer, Extract::First).as_deref(), Some("ls -l\n"));
        assert_eq!(extract(answer, Extract::Last).as_deref(), Some("```\ninner\n```\n"));
        assert_eq!(extract(answer, Extract::Lax).as_deref(), Some("ls -l\n"));
    }

    #[test]
    fn an_answer_without_a_block_has_none_unless_that_is_allowed() {
        for answer in ["ls -l", "use `ls` or ```ls```", ""] {
            assert_eq!(extract(answer, Extract::First), None);
            assert_eq!(extract(answer, Extract::Lax).as_deref(), Some(answer));
        }
    }

    #[test]
    fn a_block_that_breaks_off_is_no_block() {
        assert_eq!(extract("```py\nprint(1)\nprint(", Extract::First), None);
        assert_eq!(extract("```py\nprint(1)\nprint(", Extract::Lax).as_deref(), Some("print(1)\nprint("));
        assert_eq!(extract("```\na\n```\n```\nb", Extract::Last).as_deref(), Some("a\n"));
        assert_eq!(extract("```\na\n```", Extract::First).as_deref(), Some("a\n"));
    }

    #[test]
    fn a_block_in_a_list_loses_the_lists_indent_alone() {
        let answer = "1. Run\n   ```py\n   if x:\n       y()\n   ```\n";
        assert_eq!(extract(answer, Extract::First).as_deref(), Some("if x:\n    y()\n"));
        assert_eq!(extract("```\n  kept\n```\n", Extract::First).as_deref(), Some("  kept\n"));
    }
}
