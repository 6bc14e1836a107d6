//! Refusals of what stands before a provider: they say nothing about the key or the request.

/// How a page for browsers begins, in small letters. A provider's own message may begin with a token such as `<image>`.
const PAGES: [&str; 4] = ["<!", "<?", "<html", "<head"];

/// Whether it is a page, or Cloudflare's words for programs.
pub fn speaks(message: &str) -> bool {
    let begun = message.trim_start().as_bytes();
    let is_page =
        |page: &&str| begun.get(..page.len()).is_some_and(|start| start.eq_ignore_ascii_case(page.as_bytes()));
    PAGES.iter().any(is_page) || message.starts_with("error code: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_told_from_messages() {
        let pages = ["<html>\r\n<head>", " <!DOCTYPE html>", "<HEAD>", "<?xml version=\"1.0\"?>", "error code: 1010"];
        assert!(pages.iter().all(|page| speaks(page)));
        let messages = ["", "<", "<image> is too large", "Bad <html>", "é", "Error code: 400 - temperature"];
        assert!(!messages.iter().any(|message| speaks(message)));
    }
}
