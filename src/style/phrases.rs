//! How models open an answer without saying anything yet: in English and in twelve languages that are spoken most.

/// The ways of one language. All in lower case, with plain apostrophes.
pub struct Phrases {
    /// Whole openers: an exclamation, a full stop or the like follows them.
    pub words: &'static [&'static str],
    /// Beginnings of sentences that announce what follows, and end in a colon.
    pub announcements: &'static [&'static str],
    /// Beginnings of sentences that offer help, however they go on.
    pub offers: &'static [&'static str],
    /// Beginnings of clauses about being a model, up to their comma.
    pub clauses: &'static [&'static str],
}

pub const LANGUAGES: [Phrases; 13] = [
    ENGLISH, CHINESE, HINDI, SPANISH, FRENCH, ARABIC, BENGALI, PORTUGUESE, RUSSIAN, URDU, INDONESIAN, GERMAN, JAPANESE,
];

#[rustfmt::skip]
const ENGLISH: Phrases = Phrases {
    words: &[
        "certainly", "sure", "sure thing", "for sure", "of course", "absolutely", "gladly", "with pleasure",
        "my pleasure", "no problem", "no worries", "happy to help", "glad to help", "glad you asked", "here you go",
        "here we go", "here it is", "here they are", "got it", "understood", "okay", "ok", "alright", "all right",
        "great question", "good question", "excellent question", "interesting question", "fantastic question",
        "that's a great question", "that's a good question", "that's an excellent question",
        "that's an interesting question", "what a great question", "what a good question",
        "thank you for your question", "thanks for your question", "thank you for asking", "thanks for asking",
        "thanks for reaching out", "thank you for reaching out",
    ],
    announcements: &[
        "here's", "here is", "here are", "here're", "below is", "below are", "the following is", "the following are",
        "please find below", "let me explain", "let me show you", "let me walk you through", "let me break it down",
        "let me break this down", "let me provide", "let me give you", "i've prepared", "i've put together",
        "i've created", "i've written",
    ],
    offers: &[
        "i'd be happy to", "i would be happy to", "i'd be glad to", "i would be glad to", "i'd be delighted to",
        "i'm happy to help", "i'm glad to help", "i'm here to help", "i am happy to help", "i'd love to help",
        "i can help you with that", "i can help with that", "i can certainly help", "i can definitely help",
        "i can absolutely help", "i'll help you with that", "i'll be happy to", "i'll be glad to",
        "let me help you with that", "let me help you", "happy to help you", "happy to help with",
    ],
    clauses: &[
        "as an ai", "as an a.i.", "as an artificial intelligence", "as a large language model",
        "as a language model", "as your ai assistant", "being an ai",
    ],
};

#[rustfmt::skip]
const CHINESE: Phrases = Phrases {
    words: &[
        "当然", "当然可以", "当然了", "當然", "當然可以", "好的", "好", "没问题", "沒問題", "没错", "可以的", "很高兴为您服务", "很高兴为你解答", "很高兴为您解答",
        "很高兴能帮助你", "很高兴能帮到你", "这是一个好问题", "这是个好问题", "这是一个很好的问题", "好问题", "非常乐意", "乐意效劳",
    ],
    announcements: &[
        "以下是", "以下为", "以下為", "下面是", "这是", "這是", "这里是", "这里有", "下面给出", "让我来",
    ],
    offers: &[
        "很高兴为您", "很高兴为你", "我很乐意", "我很高兴", "我可以帮你", "我可以帮您",
    ],
    clauses: &[
        "作为一个人工智能", "作为人工智能", "作为一个ai", "作为ai", "作为一个语言模型", "作为语言模型", "作為一個ai", "作为一个大型语言模型", "作为一名ai",
    ],
};

#[rustfmt::skip]
const HINDI: Phrases = Phrases {
    words: &[
        "ज़रूर", "जरूर", "बिल्कुल", "बिलकुल", "निश्चित रूप से", "अवश्य", "हाँ, ज़रूर", "बेशक", "ठीक है",
        "कोई बात नहीं", "खुशी से", "बहुत अच्छा सवाल", "अच्छा सवाल", "बढ़िया सवाल", "यह एक अच्छा सवाल है",
    ],
    announcements: &[
        "यहाँ", "यहां", "यह रहा", "यह रही", "ये रहे", "नीचे", "निम्नलिखित",
    ],
    offers: &[
        "मैं आपकी मदद", "मुझे आपकी मदद", "मुझे खुशी होगी",
    ],
    clauses: &[
        "एक एआई", "एक ai", "एक भाषा मॉडल", "एक कृत्रिम बुद्धिमत्ता", "एआई भाषा मॉडल",
    ],
};

#[rustfmt::skip]
const SPANISH: Phrases = Phrases {
    words: &[
        "claro", "claro que sí", "por supuesto", "desde luego", "con gusto", "con mucho gusto", "ciertamente",
        "absolutamente", "sin problema", "de acuerdo", "entendido", "buena pregunta", "excelente pregunta",
        "gran pregunta", "qué buena pregunta", "gracias por tu pregunta", "gracias por preguntar",
    ],
    announcements: &[
        "aquí tienes", "aquí está", "aquí están", "aquí hay", "aquí te", "aquí va", "a continuación", "estos son",
        "este es",
    ],
    offers: &[
        "estaré encantado", "estaré encantada", "estaré feliz", "me encantaría ayudarte", "puedo ayudarte con eso",
        "con gusto te ayudo", "me complace",
    ],
    clauses: &[
        "como modelo de lenguaje", "como un modelo de lenguaje", "como inteligencia artificial",
        "como una inteligencia artificial", "como ia", "como una ia", "como asistente de ia",
    ],
};

#[rustfmt::skip]
const FRENCH: Phrases = Phrases {
    words: &[
        "bien sûr", "certainement", "absolument", "avec plaisir", "volontiers", "d'accord", "pas de problème",
        "aucun problème", "entendu", "tout à fait", "bien entendu", "évidemment", "bonne question",
        "très bonne question", "excellente question", "c'est une bonne question", "c'est une excellente question",
        "merci pour votre question", "merci pour ta question",
    ],
    announcements: &[
        "voici", "voilà", "ci-dessous", "laissez-moi", "laisse-moi", "permettez-moi",
    ],
    offers: &[
        "je serais ravi", "je serai ravi", "je serais heureux", "je serais heureuse", "je peux vous aider avec",
        "je peux t'aider avec", "je suis ravi de", "je suis là pour",
    ],
    clauses: &[
        "en tant que modèle de langage", "en tant que modèle", "en tant qu'ia",
        "en tant qu'intelligence artificielle", "en tant qu'assistant ia", "en tant que grand modèle",
    ],
};

#[rustfmt::skip]
const ARABIC: Phrases = Phrases {
    words: &[
        "بالتأكيد", "بالطبع", "طبعا", "طبعًا", "طبعاً", "بكل سرور", "أكيد", "بكل تأكيد", "حسنا", "حسنًا", "حسناً",
        "لا مشكلة", "على الرحب والسعة", "سؤال رائع", "سؤال جيد", "سؤال ممتاز", "هذا سؤال رائع", "هذا سؤال جيد",
        "شكرا على سؤالك", "شكرًا على سؤالك",
    ],
    announcements: &[
        "إليك", "إليكم", "فيما يلي", "هذا هو", "هذه هي", "هنا", "دعني",
    ],
    offers: &[
        "يسعدني", "يسرني", "سأكون سعيدا", "سأكون سعيدًا", "يمكنني مساعدتك في ذلك",
    ],
    clauses: &[
        "كنموذج لغوي", "كنموذج لغة", "بصفتي نموذج", "كذكاء اصطناعي", "بصفتي ذكاء", "باعتباري نموذج", "كوني نموذج",
    ],
};

#[rustfmt::skip]
const BENGALI: Phrases = Phrases {
    words: &[
        "অবশ্যই", "নিশ্চয়ই", "নিশ্চয়ই", "নিশ্চিতভাবে", "ঠিক আছে", "কোনো সমস্যা নেই", "আনন্দের সাথে", "ভালো প্রশ্ন",
        "খুব ভালো প্রশ্ন", "চমৎকার প্রশ্ন", "দারুণ প্রশ্ন",
    ],
    announcements: &[
        "এখানে", "নিচে", "এই হলো", "এই যে", "নিম্নলিখিত",
    ],
    offers: &[
        "আমি আপনাকে সাহায্য", "আপনাকে সাহায্য করতে",
    ],
    clauses: &[
        "একটি এআই", "একজন এআই", "একটি ai", "একটি ভাষা মডেল", "এআই ভাষা মডেল", "একটি কৃত্রিম বুদ্ধিমত্তা",
    ],
};

#[rustfmt::skip]
const PORTUGUESE: Phrases = Phrases {
    words: &[
        "claro", "claro que sim", "com certeza", "certamente", "com prazer", "absolutamente", "sem problema",
        "sem problemas", "tudo bem", "pois não", "entendido", "boa pergunta", "ótima pergunta", "excelente pergunta",
        "obrigado pela pergunta", "obrigado por perguntar",
    ],
    announcements: &[
        "aqui está", "aqui estão", "aqui vai", "aqui tem", "aqui tens", "segue", "seguem", "a seguir", "abaixo está",
        "abaixo estão", "este é", "estes são",
    ],
    offers: &[
        "ficarei feliz", "fico feliz em ajudar", "terei prazer", "posso ajudar com isso", "posso te ajudar",
        "será um prazer", "eu ficaria feliz",
    ],
    clauses: &[
        "como um modelo de linguagem", "como modelo de linguagem", "como uma ia", "como ia",
        "como uma inteligência artificial", "como inteligência artificial", "como assistente de ia",
    ],
};

#[rustfmt::skip]
const RUSSIAN: Phrases = Phrases {
    words: &[
        "конечно", "конечно же", "разумеется", "безусловно", "с удовольствием", "хорошо", "без проблем",
        "да, конечно", "понятно", "отличный вопрос", "хороший вопрос", "интересный вопрос", "прекрасный вопрос",
        "это отличный вопрос", "это хороший вопрос", "спасибо за вопрос", "рад помочь",
    ],
    announcements: &[
        "вот", "ниже", "ниже приведен", "ниже приведён", "давайте",
    ],
    offers: &[
        "я с радостью", "я буду рад", "с радостью помогу", "рад помочь", "я могу помочь вам с этим", "я помогу вам",
    ],
    clauses: &[
        "как языковая модель", "как ии", "как искусственный интеллект", "будучи языковой моделью",
        "как большая языковая модель", "являясь языковой моделью",
    ],
};

#[rustfmt::skip]
const URDU: Phrases = Phrases {
    words: &[
        "ضرور", "بالکل", "یقیناً", "یقینا", "بے شک", "جی ہاں", "جی بالکل", "جی ضرور", "ٹھیک ہے", "کوئی مسئلہ نہیں",
        "خوشی سے", "بہت اچھا سوال", "اچھا سوال", "بہترین سوال",
    ],
    announcements: &[
        "یہ رہا", "یہ رہی", "یہ رہے", "یہاں", "ذیل میں", "مندرجہ ذیل", "درج ذیل",
    ],
    offers: &[
        "میں آپ کی مدد", "مجھے آپ کی مدد", "مجھے خوشی ہوگی",
    ],
    clauses: &[
        "ایک اے آئی", "بطور اے آئی", "ایک ai", "ایک لسانی ماڈل", "ایک زبان کے ماڈل", "ایک مصنوعی ذہانت",
        "بطور مصنوعی ذہانت",
    ],
};

#[rustfmt::skip]
const INDONESIAN: Phrases = Phrases {
    words: &[
        "tentu", "tentu saja", "baik", "baiklah", "dengan senang hati", "pasti", "siap", "tidak masalah", "oke",
        "pertanyaan bagus", "pertanyaan yang bagus", "pertanyaan yang sangat bagus", "itu pertanyaan yang bagus",
        "terima kasih atas pertanyaannya", "terima kasih atas pertanyaan anda",
    ],
    announcements: &[
        "berikut", "berikut ini", "ini adalah", "ini dia", "di bawah ini", "inilah",
    ],
    offers: &[
        "saya akan dengan senang hati", "saya dengan senang hati", "saya senang membantu", "saya bisa membantu",
        "saya siap membantu",
    ],
    clauses: &[
        "sebagai model bahasa", "sebagai ai", "sebagai sebuah ai", "sebagai kecerdasan buatan", "sebagai asisten ai",
        "sebagai sebuah model bahasa",
    ],
};

#[rustfmt::skip]
const GERMAN: Phrases = Phrases {
    words: &[
        "natürlich", "gerne", "gern", "sehr gerne", "selbstverständlich", "klar", "na klar", "sicher", "aber sicher",
        "absolut", "kein problem", "alles klar", "verstanden", "gerne doch", "gute frage", "sehr gute frage",
        "ausgezeichnete frage", "das ist eine gute frage", "das ist eine sehr gute frage", "danke für deine frage",
        "vielen dank für ihre frage", "vielen dank für deine frage",
    ],
    announcements: &[
        "hier ist", "hier sind", "hier findest du", "hier finden sie", "hier kommt", "im folgenden", "nachfolgend",
        "hier ein", "hier eine", "hier der", "hier die", "hier das",
    ],
    offers: &[
        "ich helfe dir gerne", "ich helfe ihnen gerne", "ich helfe gerne", "gerne helfe ich",
        "ich kann dir dabei helfen", "ich kann ihnen dabei helfen", "das mache ich gerne",
    ],
    clauses: &[
        "als ki", "als ki-sprachmodell", "als sprachmodell", "als großes sprachmodell", "als künstliche intelligenz",
        "als ein ki",
    ],
};

#[rustfmt::skip]
const JAPANESE: Phrases = Phrases {
    words: &[
        "もちろん", "もちろんです", "はい、もちろんです", "はい、もちろん", "承知しました", "承知いたしました", "かしこまりました", "わかりました", "了解しました", "喜んで",
        "良い質問ですね", "いい質問ですね", "素晴らしい質問ですね",
    ],
    announcements: &[
        "以下は", "以下が", "以下に", "こちらが", "こちらは", "次の",
    ],
    offers: &[
        "喜んでお手伝い", "お手伝いします", "お手伝いさせて",
    ],
    clauses: &[
        "aiとして", "ai言語モデルとして", "人工知能として", "私はaiなので", "大規模言語モデルとして", "言語モデルとして",
    ],
};
