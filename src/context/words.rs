//! A text's terms: its words without stop words, cut to their stems and hashed; in scripts without spaces, pairs of characters.

/// Calls `found` with the term of each word of `text`, in their order.
pub fn terms(text: &str, mut found: impl FnMut(u32)) {
    let mut word = String::new();
    let mut previous: Option<char> = None;
    for c in text.chars().chain([' ']) {
        if has_no_spaces(c) {
            end_word(&mut word, &mut found);
            if let Some(previous) = previous {
                found(hash(&[previous, c]));
            }
            previous = Some(c);
            continue;
        }
        previous = None;
        if c.is_alphanumeric() || (matches!(c, '\'' | '’') && !word.is_empty()) {
            word.extend(if c == '’' { '\'' } else { c }.to_lowercase());
        } else {
            end_word(&mut word, &mut found);
        }
    }
}

/// Words are alike when so many of their first characters are: `allergy` and `allergic`, `Zahlung` and `Zahlungen`.
const STEM: usize = 6;

fn end_word(word: &mut String, found: &mut impl FnMut(u32)) {
    let plain = word.split('\'').next().unwrap_or_default();
    if !plain.is_empty()
        && STOP_WORDS.binary_search(&word.as_str()).is_err()
        && STOP_WORDS.binary_search(&plain).is_err()
    {
        let is_plural = plain.len() > 3 && plain.ends_with('s') && !plain.ends_with("ss");
        let stem = if is_plural { &plain[..plain.len() - 1] } else { plain };
        let mut characters = ['\0'; STEM];
        let mut count = 0;
        for (slot, c) in characters.iter_mut().zip(stem.chars()) {
            *slot = c;
            count += 1;
        }
        found(hash(&characters[..count]));
    }
    word.clear();
}

/// FNV-1a: terms are compared with one another in this process alone.
fn hash(characters: &[char]) -> u32 {
    characters.iter().fold(0x811C_9DC5, |hash, c| (hash ^ u32::from(*c)).wrapping_mul(0x0100_0193))
}

/// Chinese, Japanese and Korean, and scripts of South-East Asia.
const fn has_no_spaces(c: char) -> bool {
    matches!(c, '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{2ffff}')
}

/// Words that say nothing by themselves, of thirteen languages together, in the order of their bytes.
#[rustfmt::skip]
static STOP_WORDS: [&str; 1284] = [
    "a", "aber", "about", "above", "acaba", "ada", "adalah", "after", "again", "against", "agar", "agli", "ai",
    "aie", "ainsi", "akan", "aku", "al", "algo", "algunas", "algunos", "all", "alla", "alle", "allem", "allen",
    "aller", "alles", "allo", "alors", "als", "also", "am", "ama", "an", "ancak", "anche", "and", "anda", "ander",
    "andere", "anderen", "antara", "ante", "antes", "any", "ao", "aos", "apa", "apakah", "aquela", "aquele",
    "aquilo", "aquí", "are", "aren't", "artık", "as", "aslında", "así", "at", "atau", "até", "au", "auch", "aucun",
    "auf", "aunque", "aus", "aussi", "autre", "aux", "avait", "avec", "avere", "aveva", "avoir", "avons", "az",
    "bagaimana", "bagi", "bahwa", "bana", "banyak", "bazı", "be", "because", "been", "before", "bei", "being",
    "belki", "below", "belum", "ben", "beni", "benim", "between", "bin", "bir", "biri", "bis", "bisa", "bist", "biz",
    "boleh", "both", "bu", "buna", "bunlar", "bunu", "bunun", "but", "by", "c", "cada", "can", "can't", "cannot",
    "ce", "ceci", "cela", "ces", "cet", "cette", "ceux", "che", "chez", "chi", "ci", "com", "come", "comme",
    "comment", "como", "con", "contra", "cosa", "could", "couldn't", "cual", "cuando", "cui", "d", "da", "dagli",
    "daha", "dal", "dalam", "dalla", "dalle", "damit", "dan", "dann", "dans", "dapat", "dari", "das", "dass", "de",
    "defa", "dei", "dein", "deine", "deinem", "deinen", "deiner", "del", "dela", "dele", "deles", "della", "delle",
    "dello", "dem", "den", "dengan", "denn", "depois", "der", "des", "desde", "değil", "di", "dia", "dich", "did",
    "didn't", "die", "dies", "diese", "diesem", "diesen", "dieser", "dieses", "dir", "diye", "do", "doch", "does",
    "doesn't", "doing", "don't", "donc", "donde", "dont", "dort", "dos", "dov", "dove", "down", "du", "durante",
    "durch", "during", "e", "each", "ed", "ein", "eine", "einem", "einen", "einer", "eines", "el", "ela", "elas",
    "ele", "eles", "ella", "ellas", "elle", "elles", "ellos", "em", "en", "encore", "entre", "er", "era", "eran",
    "erano", "es", "esa", "esas", "ese", "eso", "esos", "essa", "essas", "esse", "essere", "esses", "est", "esta",
    "estaba", "estado", "estas", "este", "estes", "esto", "estos", "estou", "estoy", "está", "están", "estão", "et",
    "etwas", "eu", "euch", "euer", "eure", "eux", "even", "ever", "fa", "faire", "fait", "fatto", "few", "foi",
    "fois", "font", "for", "foram", "from", "fue", "fueron", "further", "für", "gegen", "get", "gewesen", "gibi",
    "gli", "got", "ha", "habe", "haben", "hace", "hacer", "had", "hai", "hanno", "hanya", "harus", "has", "hasta",
    "hat", "hatte", "hatten", "have", "having", "hay", "he", "he'd", "he'll", "he's", "hem", "hep", "hepsi", "her",
    "here", "here's", "hers", "herself", "hier", "him", "himself", "hinter", "his", "hiç", "ho", "hors", "how",
    "how's", "há", "i", "i'd", "i'll", "i'm", "i've", "ich", "if", "ihm", "ihn", "ihnen", "ihr", "ihre", "ihrem",
    "ihren", "ihrer", "il", "ile", "ils", "im", "in", "indem", "ini", "ins", "into", "io", "is", "ise", "isn't",
    "isso", "ist", "isto", "it", "it's", "its", "itself", "itu", "j", "ja", "jadi", "je", "jede", "jedem", "jeden",
    "jeder", "jedes", "jetzt", "jika", "juga", "just", "já", "kalau", "kami", "kamu", "kann", "kapan", "karena",
    "ke", "kein", "keine", "keinem", "keinen", "keiner", "kepada", "kez", "ki", "kim", "kita", "know", "können",
    "könnte", "l", "la", "lagi", "las", "le", "lebih", "lei", "les", "let", "let's", "leur", "leurs", "lhe", "lhes",
    "li", "like", "lo", "loro", "los", "lui", "là", "m", "ma", "machen", "mais", "maka", "man", "mana", "manche",
    "mas", "masih", "may", "me", "mehr", "mein", "meine", "meinem", "meinen", "meiner", "mengapa", "mereka", "mes",
    "mesmo", "meu", "meus", "mi", "mia", "mich", "mie", "miei", "mientras", "might", "minha", "minhas", "mio", "mir",
    "mis", "mit", "moi", "molto", "mon", "more", "most", "mu", "much", "mucho", "muchos", "muito", "muss", "musste",
    "must", "muy", "my", "myself", "más", "même", "mü", "mı", "n", "na", "nach", "nada", "nas", "nasıl", "ne",
    "neden", "negli", "nei", "nein", "nel", "nella", "nelle", "nem", "nerde", "nerede", "ni", "nicht", "nichts",
    "niye", "niçin", "no", "noch", "noi", "non", "nor", "nos", "nosotros", "nossa", "nosso", "nostra", "nostro",
    "not", "notre", "nous", "now", "nuestra", "nuestro", "num", "numa", "nun", "nur", "nya", "não", "o", "ob",
    "oder", "of", "off", "ohne", "oleh", "on", "once", "one", "onlar", "only", "ont", "onu", "onun", "or", "os",
    "other", "otra", "otras", "otro", "otros", "ou", "our", "ours", "ourselves", "out", "over", "own", "où", "pada",
    "par", "para", "parce", "pas", "pela", "pelas", "pelo", "pelos", "per", "perché", "pernah", "pero", "però",
    "peu", "peut", "più", "please", "plus", "poco", "poi", "por", "porque", "pour", "pourquoi", "pula", "qu", "qual",
    "quale", "quand", "quando", "quanto", "que", "quel", "quella", "quelle", "quelles", "quelli", "quello", "quels",
    "quem", "questa", "queste", "questi", "questo", "qui", "quien", "quienes", "quoi", "qué", "really", "s", "sa",
    "saat", "saja", "same", "sana", "sangat", "sanki", "sans", "saya", "schon", "se", "sea", "sebagai", "sebuah",
    "secara", "sedang", "sehingga", "sehr", "sei", "sein", "seine", "seinem", "seinen", "seiner", "selbst", "sem",
    "semua", "sen", "seni", "senza", "seperti", "ser", "sera", "serta", "ses", "seu", "seus", "shall", "she",
    "she'd", "she's", "should", "si", "sia", "siamo", "siapa", "sich", "sido", "sie", "sin", "sind", "siz", "sizin",
    "so", "sobre", "soll", "sollte", "some", "something", "son", "sondern", "sono", "sonst", "sont", "sta", "stata",
    "stato", "su", "sua", "suas", "such", "sudah", "sue", "sugli", "sui", "sul", "sulla", "suo", "suoi", "supaya",
    "sur", "sus", "são", "sí", "só", "ta", "también", "também", "tan", "tanto", "tapi", "te", "telah", "tell", "tem",
    "tenemos", "tener", "tengo", "tenho", "ter", "tes", "tetapi", "teu", "teve", "than", "that", "that's", "the",
    "their", "theirs", "them", "themselves", "then", "there", "there's", "these", "they", "they'd", "they're",
    "they've", "thing", "things", "think", "this", "those", "through", "ti", "tidak", "tiene", "tienen", "tinha",
    "to", "toda", "todo", "todos", "toi", "ton", "too", "tous", "tout", "toute", "toutes", "tra", "très", "tu",
    "tua", "tudo", "tuo", "tus", "tutti", "tutto", "tú", "um", "uma", "umas", "un", "una", "und", "under", "une",
    "uno", "unos", "uns", "unser", "unsere", "unter", "until", "untuk", "up", "upon", "us", "usted", "va", "vamos",
    "var", "ve", "vers", "very", "veya", "vi", "viel", "você", "vocês", "voi", "voici", "voilà", "vom", "von", "vor",
    "vos", "votre", "vous", "want", "war", "waren", "warst", "was", "wasn't", "we", "we'd", "we're", "we've", "weg",
    "weil", "weiter", "welche", "welchem", "welchen", "welcher", "welches", "well", "wenn", "werde", "werden",
    "were", "weren't", "what", "what's", "when", "when's", "where", "where's", "which", "while", "who", "who's",
    "whom", "why", "wie", "wieder", "will", "wir", "wird", "wirst", "with", "wo", "wollen", "won't", "would",
    "wouldn't", "wurde", "wurden", "y", "ya", "yaitu", "yang", "yani", "yes", "yet", "yo", "you", "you'd", "you'll",
    "you're", "you've", "your", "yours", "yourself", "zu", "zum", "zur", "zwar", "zwischen", "à", "às", "ça", "çok",
    "çünkü", "è", "é", "él", "étaient", "était", "été", "être", "über", "şey", "şu", "а", "без", "более", "больше",
    "будет", "будто", "бы", "был", "была", "были", "было", "быть", "в", "вам", "вас", "ведь", "весь", "во", "вот",
    "впрочем", "все", "всегда", "всего", "всех", "всю", "вы", "где", "да", "даже", "для", "до", "другой", "его",
    "ее", "ей", "ему", "если", "есть", "еще", "ещё", "же", "за", "здесь", "и", "из", "или", "им", "иногда", "их",
    "к", "как", "какая", "какой", "когда", "кто", "ли", "лучше", "между", "меня", "мне", "много", "может", "можно",
    "мой", "моя", "мы", "на", "над", "надо", "наконец", "нас", "не", "него", "нее", "ней", "нельзя", "нет", "ни",
    "нибудь", "никогда", "ним", "них", "ничего", "но", "ну", "о", "об", "один", "он", "она", "они", "оно", "от",
    "перед", "по", "под", "после", "потом", "потому", "почти", "при", "про", "раз", "разве", "с", "сам", "свою",
    "себе", "себя", "сейчас", "со", "совсем", "так", "такой", "там", "тебя", "тем", "теперь", "то", "тогда", "того",
    "тоже", "только", "том", "тот", "три", "тут", "ты", "у", "уж", "уже", "хорошо", "хоть", "чего", "чем", "через",
    "что", "чтобы", "чуть", "эта", "эти", "это", "этого", "этой", "этом", "этот", "эту", "я", "أن", "أنا", "أنت",
    "أنها", "أو", "أي", "إذا", "إلى", "إن", "اس", "اسے", "التي", "الذي", "الذين", "اللذين", "ان", "او", "اور", "ایک",
    "بعد", "بل", "به", "بها", "بين", "تلك", "تم", "تو", "تک", "تھا", "تھی", "تھے", "ثم", "جس", "جو", "حتى", "حيث",
    "ذلك", "سوف", "سے", "على", "عليه", "عليها", "عن", "عند", "عندما", "في", "فيه", "فيها", "قبل", "قد", "كان",
    "كانت", "كل", "كما", "كيف", "لا", "لكن", "لم", "لماذا", "لن", "له", "لها", "ليس", "ما", "ماذا", "مع", "من",
    "منذ", "منه", "منها", "میرا", "میری", "میرے", "میں", "نحن", "نعم", "نہ", "نہیں", "نے", "هذا", "هذه", "هل", "هم",
    "هنا", "هناك", "هو", "هي", "و", "وقد", "ولا", "وهو", "وهي", "وہ", "يا", "يكون", "پر", "کا", "کر", "کرنا", "کرنے",
    "کو", "کوئی", "کون", "کہ", "کہاں", "کی", "کیا", "کیوں", "کے", "ہم", "ہو", "ہوا", "ہوں", "ہیں", "ہے", "یا", "یہ",
    "अपना", "अपनी", "अपने", "अब", "आप", "आपका", "आपकी", "आपके", "इन", "इस", "इसका", "इसके", "इसमें", "उन", "उस",
    "उसका", "उसकी", "उसके", "एक", "और", "कर", "करता", "करते", "करना", "करने", "कहा", "का", "कि", "किया", "किस",
    "किसी", "की", "कुछ", "के", "को", "कोई", "कौन", "क्या", "क्यों", "गया", "जब", "जहाँ", "जा", "जैसे", "जो", "तक",
    "तब", "तो", "था", "थी", "थे", "दिया", "दो", "न", "नहीं", "ने", "पर", "फिर", "बहुत", "भी", "मुझे", "में", "मेरा",
    "मेरी", "मेरे", "मैं", "यदि", "यह", "यहाँ", "या", "ये", "रहा", "रही", "रहे", "वह", "वहाँ", "वाले", "वे", "सभी",
    "साथ", "से", "हम", "हमारे", "ही", "हुआ", "हुई", "हुए", "है", "हैं", "हो", "होता", "होती", "होते", "होने",
    "আপনার", "আপনি", "আমাদের", "আমার", "আমি", "এই", "এক", "একটি", "এবং", "এর", "ও", "কি", "কিন্তু", "কী", "কে",
    "কোন", "জন্য", "তা", "তার", "তারা", "তিনি", "তুমি", "তোমার", "থেকে", "নয়", "না", "পারে", "বা", "যা", "যে", "সে",
    "সেই", "হবে", "হয়",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<u32> {
        let mut all = Vec::new();
        terms(text, |term| all.push(term));
        all
    }

    #[test]
    fn the_stop_words_are_in_order() {
        assert!(STOP_WORDS.is_sorted() && STOP_WORDS.len() > 500);
    }

    #[test]
    fn forms_of_a_word_are_one_term_and_stop_words_are_none() {
        assert_eq!(of("the allergies and the allergic, of an Allergy's"), of("allergic allergy allergies"));
        assert!(of("I am what you are").is_empty());
        assert!(of("der die das und").is_empty());
        assert_ne!(of("cat"), of("dog"));
    }

    #[test]
    fn scripts_without_spaces_are_read_in_pairs() {
        assert_eq!(of("人工智能").len(), 3);
        assert_eq!(of("我的狗叫小白")[1..], of("的狗叫小白")[..]);
    }
}
