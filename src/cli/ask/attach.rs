//! An attachment of `relay ask`: an image or a sound as a part of the message, by what its bytes say it is.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::cli::exit::{Exit, Trouble};

/// Bytes that tell what a file holds.
const MEDIA: [(&[u8], usize, &[u8], Media); 9] = [
    (b"\x89PNG\r\n\x1a\n", 0, b"", Media::Image("image/png")),
    (b"\xff\xd8\xff", 0, b"", Media::Image("image/jpeg")),
    (b"GIF8", 0, b"", Media::Image("image/gif")),
    (b"RIFF", 8, b"WEBP", Media::Image("image/webp")),
    (b"RIFF", 8, b"WAVE", Media::Sound("wav")),
    (b"ID3", 0, b"", Media::Sound("mp3")),
    (b"\xff\xfb", 0, b"", Media::Sound("mp3")),
    (b"\xff\xf3", 0, b"", Media::Sound("mp3")),
    (b"\xff\xf2", 0, b"", Media::Sound("mp3")),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Media {
    /// By its media type.
    Image(&'static str),
    /// By the format's name in a request.
    Sound(&'static str),
}

/// Whether an attachment stands elsewhere, or in the URL itself: then it goes out as it is, and nothing fetches it here.
pub fn is_url(name: &str) -> bool {
    ["http://", "https://", "data:"].iter().any(|scheme| name.starts_with(scheme))
}

/// The part for an image that a URL names.
pub fn of_url(url: &str) -> Value {
    json!({ "type": "image_url", "image_url": { "url": url } })
}

/// The part for a file's bytes; `name` is what the user calls it.
pub fn of_bytes(bytes: &[u8], name: &Path) -> Result<Value, Trouble> {
    let media = sniff(bytes).ok_or_else(|| {
        let message = format!("`{}` is of no type that can be attached", name.display());
        Trouble::new(Exit::BadInput, message).hint(
            "PNG, JPEG, GIF and WebP images and WAV and MP3 sound can be attached; a text file goes along with -f",
        )
    })?;
    let data = STANDARD.encode(bytes);
    Ok(match media {
        Media::Image(kind) => of_url(&format!("data:{kind};base64,{data}")),
        Media::Sound(format) => json!({ "type": "input_audio", "input_audio": { "data": data, "format": format } }),
    })
}

fn sniff(bytes: &[u8]) -> Option<Media> {
    let says = |(head, at, inner, _): &&(&[u8], usize, &[u8], Media)| {
        bytes.starts_with(head) && bytes.get(*at..).is_some_and(|rest| rest.starts_with(inner))
    };
    MEDIA.iter().find(says).map(|(.., media)| *media)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_own_bytes_say_what_it_is() {
        let part = |bytes: &[u8]| of_bytes(bytes, Path::new("x.txt")).expect("known");
        let png = part(b"\x89PNG\r\n\x1a\nrest");
        assert_eq!(png["image_url"]["url"], "data:image/png;base64,iVBORw0KGgpyZXN0");
        let url = |bytes: &[u8]| part(bytes)["image_url"]["url"].as_str().map(str::to_owned).unwrap_or_default();
        assert!(url(b"\xff\xd8\xff\xe0").starts_with("data:image/jpeg;"));
        assert!(url(b"GIF89a").starts_with("data:image/gif;"));
        assert!(url(b"RIFF\0\0\0\0WEBPVP8 ").starts_with("data:image/webp;"));
        assert_eq!(part(b"RIFF\0\0\0\0WAVEfmt ")["input_audio"]["format"], "wav");
        assert_eq!(part(b"ID3\x04")["input_audio"]["format"], "mp3");
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        for bytes in [&b"%PDF-1.7"[..], b"", b"plain text", b"RIFF\0\0\0\0AVI ", b"\x89PN"] {
            let trouble = of_bytes(bytes, Path::new("report.pdf")).expect_err("no media");
            assert_eq!(trouble.exit, Exit::BadInput);
            assert!(trouble.message.contains("report.pdf"));
        }
    }
}
