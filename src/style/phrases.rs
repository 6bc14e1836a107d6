//! How models open an answer without saying anything yet: in English and in twelve languages that are spoken most.

use super::list::List;

/// The ways of one language. All in lower case, with plain apostrophes.
pub struct Phrases {
    /// Whole openers: an exclamation, a full stop or the like follows them.
    pub words: List,
    /// Beginnings of sentences that announce what follows, and end in a colon.
    pub announcements: List,
    /// The same, which may also begin a sentence of the answer: they announce only what stands on lines of its own.
    pub pointers: List,
    /// Beginnings of sentences that offer help, however they go on.
    pub offers: List,
    /// Beginnings of clauses about being a model, up to their comma.
    pub clauses: List,
    /// What may stand between such a beginning and its comma goes on with one of these.
    pub kinds: List,
}

impl Phrases {
    /// Whether an opener may begin with these characters.
    #[inline]
    pub fn may_open_with(&self, first: char, second: Option<char>) -> bool {
        let lists = [&self.words, &self.announcements, &self.pointers, &self.offers, &self.clauses];
        lists.into_iter().any(|list| list.may_begin_with(first, second))
    }
}

pub const LANGUAGES: [Phrases; 13] = [
    ENGLISH, CHINESE, HINDI, SPANISH, FRENCH, ARABIC, BENGALI, PORTUGUESE, RUSSIAN, URDU, INDONESIAN, GERMAN, JAPANESE,
];

#[rustfmt::skip]
const ENGLISH: Phrases = Phrases {
    words: List::of(&[
        "certainly", "sure", "sure thing", "for sure", "of course", "absolutely", "gladly", "with pleasure",
        "my pleasure", "no problem", "no worries", "happy to help", "glad to help", "glad you asked", "here you go",
        "here we go", "here it is", "here they are", "got it", "understood", "definitely", "you got it", "you bet",
        "okay", "ok", "alright", "all right", "great question", "good question", "excellent question",
        "interesting question", "fantastic question", "that's a great question", "that's a good question",
        "that's an excellent question", "that's an interesting question", "what a great question",
        "what a good question", "thank you for your question", "thanks for your question",
        "thank you for the question", "thanks for the question", "thank you for asking", "thanks for asking",
        "thanks for reaching out", "thank you for reaching out",
    ]),
    announcements: List::of(&[
        "here's", "here is", "here are", "here're", "below is", "below are", "the following is", "the following are",
        "please find below", "let me provide", "let me give you", "i've prepared", "i've put together",
        "i've created", "i've written",
    ]),
    pointers: List::of(&[]),
    offers: List::of(&[
        "i'd be happy to", "i would be happy to", "i'd be glad to", "i would be glad to", "i'd be delighted to",
        "i'm happy to help", "i'm glad to help", "i'm here to help", "i am happy to help", "i'd love to help",
        "i can help you with that", "i can help with that", "i can certainly help", "i can definitely help",
        "i can absolutely help", "i'll help you with that", "i'll be happy to", "i'll be glad to",
        "let me help you with that", "let me help you", "let me explain", "let me show you",
        "let me walk you through", "let me break it down", "let me break this down", "let's break it down",
        "let's break this down", "let's dive in", "let's dive into", "let's get started", "i can explain that",
        "i can help with", "i can help you", "happy to help you", "happy to help with",
    ]),
    clauses: List::of(&[
        "as an ai", "as an a.i.", "as an artificial intelligence", "as a large language model", "as a language model",
        "as your ai assistant", "being an ai",
    ]),
    kinds: List::of(&[
        "language", "model", "assistant", "chatbot", "system", "program", "developed", "trained", "created", "built",
        "made", "designed", "by", "without", "that", "which",
    ]),
};

#[rustfmt::skip]
const CHINESE: Phrases = Phrases {
    words: List::of(&[
        "当然", "当然可以", "当然了", "當然", "當然可以", "好的", "好", "没问题", "沒問題", "没错", "可以的", "很高兴为您服务", "很高兴为你解答", "很高兴为您解答",
        "很高兴能帮助你", "很高兴能帮到你", "这是一个好问题", "这是个好问题", "这是一个很好的问题", "好问题", "非常乐意", "乐意效劳",
    ]),
    announcements: List::of(&[
        "以下是", "以下为", "以下為", "下面是", "这里是", "这里有", "下面给出", "让我来",
    ]),
    pointers: List::of(&[
        "这是", "這是",
    ]),
    offers: List::of(&[
        "很高兴为您", "很高兴为你", "我很乐意", "我很高兴", "我可以帮你", "我可以帮您",
    ]),
    clauses: List::of(&[
        "作为一个人工智能", "作为人工智能", "作为一个ai", "作为ai", "作为一个语言模型", "作为语言模型", "作為一個ai", "作為ai", "作為一個人工智慧", "作为一个大型语言模型",
        "作为一名ai", "作为一款ai", "作为一款人工智能",
    ]),
    kinds: List::of(&[
        "语言", "語言", "模型", "助手", "助理", "大", "智能", "系统", "系統", "聊天", "程序", "驱动",
    ]),
};

#[rustfmt::skip]
const HINDI: Phrases = Phrases {
    words: List::of(&[
        "ज़रूर", "जरूर", "बिल्कुल", "बिलकुल", "निश्चित रूप से", "अवश्य", "हाँ, ज़रूर", "बेशक", "ठीक है",
        "कोई बात नहीं", "खुशी से", "बहुत अच्छा सवाल", "अच्छा सवाल", "बढ़िया सवाल", "यह एक अच्छा सवाल है",
    ]),
    announcements: List::of(&[
        "यह रहा", "यह रही", "ये रहे", "नीचे", "निम्नलिखित",
    ]),
    pointers: List::of(&[
        "यहाँ", "यहां",
    ]),
    offers: List::of(&[
        "मैं आपकी मदद", "मुझे आपकी मदद", "मुझे खुशी होगी",
    ]),
    clauses: List::of(&[
        "एक एआई", "एक ai", "एक भाषा मॉडल", "एक कृत्रिम बुद्धिमत्ता", "एआई भाषा मॉडल",
    ]),
    kinds: List::of(&[
        "भाषा", "मॉडल", "सहायक", "चैटबॉट", "के", "होने", "language", "model", "assistant",
    ]),
};

#[rustfmt::skip]
const SPANISH: Phrases = Phrases {
    words: List::of(&[
        "claro", "claro que sí", "por supuesto", "desde luego", "con gusto", "con mucho gusto", "ciertamente",
        "absolutamente", "sin problema", "de acuerdo", "entendido", "buena pregunta", "excelente pregunta",
        "gran pregunta", "qué buena pregunta", "gracias por tu pregunta", "gracias por preguntar",
    ]),
    announcements: List::of(&[
        "aquí tienes", "aquí está", "aquí están", "aquí hay", "aquí te", "aquí va", "a continuación",
    ]),
    pointers: List::of(&[
        "este es", "estos son", "esta es", "estas son",
    ]),
    offers: List::of(&[
        "estaré encantado", "estaré encantada", "estaré feliz", "me encantaría ayudarte", "puedo ayudarte con eso",
        "con gusto te ayudo", "me complace",
    ]),
    clauses: List::of(&[
        "como modelo de lenguaje", "como un modelo de lenguaje", "como inteligencia artificial",
        "como una inteligencia artificial", "como ia", "como una ia", "como asistente de ia",
    ]),
    kinds: List::of(&[
        "de", "grande", "entrenado", "desarrollado", "creado", "basado", "artificial", "entrenada", "desarrollada",
        "creada", "que",
    ]),
};

#[rustfmt::skip]
const FRENCH: Phrases = Phrases {
    words: List::of(&[
        "bien sûr", "certainement", "absolument", "avec plaisir", "volontiers", "d'accord", "pas de problème",
        "aucun problème", "entendu", "tout à fait", "bien entendu", "évidemment", "bonne question",
        "très bonne question", "excellente question", "c'est une bonne question", "c'est une excellente question",
        "merci pour votre question", "merci pour ta question",
    ]),
    announcements: List::of(&[
        "voici", "voilà", "ci-dessous", "laissez-moi", "laisse-moi", "permettez-moi",
    ]),
    pointers: List::of(&[]),
    offers: List::of(&[
        "je serais ravi", "je serai ravi", "je serais heureux", "je serais heureuse", "je peux vous aider avec",
        "je peux t'aider avec", "je suis ravi de", "je suis là pour",
    ]),
    clauses: List::of(&[
        "en tant que modèle de langage", "en tant qu'ia", "en tant qu'intelligence artificielle",
        "en tant qu'assistant ia", "en tant que grand modèle",
    ]),
    kinds: List::of(&[
        "d'ia", "d'intelligence", "artificielle", "artificiel", "entraîné", "développé", "créé", "conversationnelle",
        "basé", "de",
    ]),
};

#[rustfmt::skip]
const ARABIC: Phrases = Phrases {
    words: List::of(&[
        "بالتأكيد", "بالطبع", "طبعا", "طبعًا", "طبعاً", "بكل سرور", "أكيد", "بكل تأكيد", "حسنا", "حسنًا", "حسناً",
        "لا مشكلة", "على الرحب والسعة", "سؤال رائع", "سؤال جيد", "سؤال ممتاز", "هذا سؤال رائع", "هذا سؤال جيد",
        "شكرا على سؤالك", "شكرًا على سؤالك",
    ]),
    announcements: List::of(&[
        "إليك", "إليكم", "فيما يلي", "دعني",
    ]),
    pointers: List::of(&[
        "هذا هو", "هذه هي", "هنا",
    ]),
    offers: List::of(&[
        "يسعدني", "يسرني", "سأكون سعيدا", "سأكون سعيدًا", "يمكنني مساعدتك في ذلك",
    ]),
    clauses: List::of(&[
        "كنموذج لغوي", "كنموذج لغة", "كنموذج ذكاء", "بصفتي نموذج", "بصفتي نموذجا", "كذكاء اصطناعي", "بصفتي ذكاء",
        "بصفتي ذكاء اصطناعيا", "باعتباري نموذج", "باعتباري نموذجا", "كوني نموذج", "كوني نموذجا", "كمساعد ذكاء",
    ]),
    kinds: List::of(&[
        "كبير", "كبيرا", "لغوي", "لغويا", "لغة", "ذكاء", "للذكاء", "اصطناعي", "مدرب", "مدربا", "طورته", "طورتني",
        "تم", "يعمل", "تابع",
    ]),
};

#[rustfmt::skip]
const BENGALI: Phrases = Phrases {
    words: List::of(&[
        "অবশ্যই", "নিশ্চয়ই", "নিশ্চয়ই", "নিশ্চিতভাবে", "ঠিক আছে", "কোনো সমস্যা নেই", "আনন্দের সাথে", "ভালো প্রশ্ন",
        "খুব ভালো প্রশ্ন", "চমৎকার প্রশ্ন", "দারুণ প্রশ্ন",
    ]),
    announcements: List::of(&[
        "নিচে", "এই হলো", "এই যে", "নিম্নলিখিত",
    ]),
    pointers: List::of(&[
        "এখানে",
    ]),
    offers: List::of(&[
        "আমি আপনাকে সাহায্য", "আপনাকে সাহায্য করতে",
    ]),
    clauses: List::of(&[
        "একটি এআই", "একজন এআই", "একটি ai", "একটি ভাষা মডেল", "এআই ভাষা মডেল", "একটি কৃত্রিম বুদ্ধিমত্তা",
    ]),
    kinds: List::of(&[
        "ভাষা", "মডেল", "সহকারী", "হিসেবে", "হিসাবে", "চ্যাটবট", "language", "model",
    ]),
};

#[rustfmt::skip]
const PORTUGUESE: Phrases = Phrases {
    words: List::of(&[
        "claro", "claro que sim", "com certeza", "certamente", "com prazer", "absolutamente", "sem problema",
        "sem problemas", "tudo bem", "pois não", "entendido", "boa pergunta", "ótima pergunta", "excelente pergunta",
        "obrigado pela pergunta", "obrigado por perguntar",
    ]),
    announcements: List::of(&[
        "aqui está", "aqui estão", "aqui vai", "aqui tem", "aqui tens", "segue", "seguem", "a seguir", "abaixo está",
        "abaixo estão",
    ]),
    pointers: List::of(&[
        "este é", "estes são", "esta é",
    ]),
    offers: List::of(&[
        "ficarei feliz", "fico feliz em ajudar", "terei prazer", "posso ajudar com isso", "posso te ajudar",
        "será um prazer", "eu ficaria feliz",
    ]),
    clauses: List::of(&[
        "como um modelo de linguagem", "como modelo de linguagem", "como uma ia", "como ia",
        "como uma inteligência artificial", "como inteligência artificial", "como assistente de ia",
    ]),
    kinds: List::of(&[
        "de", "grande", "treinado", "treinada", "desenvolvido", "desenvolvida", "criado", "criada", "artificial",
        "que",
    ]),
};

#[rustfmt::skip]
const RUSSIAN: Phrases = Phrases {
    words: List::of(&[
        "конечно", "конечно же", "разумеется", "безусловно", "с удовольствием", "хорошо", "без проблем",
        "да, конечно", "понятно", "отличный вопрос", "хороший вопрос", "интересный вопрос", "прекрасный вопрос",
        "это отличный вопрос", "это хороший вопрос", "спасибо за вопрос", "рад помочь",
    ]),
    announcements: List::of(&[
        "вот", "ниже", "ниже приведен", "ниже приведён", "давайте",
    ]),
    pointers: List::of(&[]),
    offers: List::of(&[
        "я с радостью", "я буду рад", "с радостью помогу", "рад помочь", "я могу помочь вам с этим", "я помогу вам",
    ]),
    clauses: List::of(&[
        "как языковая модель", "как ии", "как искусственный интеллект", "будучи языковой моделью",
        "как большая языковая модель", "являясь языковой моделью",
    ]),
    kinds: List::of(&[
        "искусственного", "модель", "ассистент", "помощник", "на", "от", "разработанная", "разработанный",
        "созданная", "созданный", "обученная", "обученный",
    ]),
};

#[rustfmt::skip]
const URDU: Phrases = Phrases {
    words: List::of(&[
        "ضرور", "بالکل", "یقیناً", "یقینا", "بے شک", "جی بالکل", "جی ضرور", "ٹھیک ہے", "کوئی مسئلہ نہیں", "خوشی سے",
        "بہت اچھا سوال", "اچھا سوال", "بہترین سوال",
    ]),
    announcements: List::of(&[
        "یہ رہا", "یہ رہی", "یہ رہے", "ذیل میں", "مندرجہ ذیل", "درج ذیل",
    ]),
    pointers: List::of(&[
        "یہاں",
    ]),
    offers: List::of(&[
        "میں آپ کی مدد", "مجھے آپ کی مدد", "مجھے خوشی ہوگی",
    ]),
    clauses: List::of(&[
        "ایک اے آئی", "بطور اے آئی", "ایک ai", "ایک لسانی ماڈل", "ایک زبان کے ماڈل", "ایک مصنوعی ذہانت",
        "بطور مصنوعی ذہانت",
    ]),
    kinds: List::of(&[
        "زبان", "ماڈل", "لینگویج", "اسسٹنٹ", "معاون", "کے", "کی", "ہونے", "کا", "language", "model",
    ]),
};

#[rustfmt::skip]
const INDONESIAN: Phrases = Phrases {
    words: List::of(&[
        "tentu", "tentu saja", "baik", "baiklah", "dengan senang hati", "pasti", "siap", "tidak masalah", "oke",
        "pertanyaan bagus", "pertanyaan yang bagus", "pertanyaan yang sangat bagus", "itu pertanyaan yang bagus",
        "terima kasih atas pertanyaannya", "terima kasih atas pertanyaan anda",
    ]),
    announcements: List::of(&[
        "berikut", "berikut ini", "di bawah ini", "inilah",
    ]),
    pointers: List::of(&[
        "ini adalah", "ini dia",
    ]),
    offers: List::of(&[
        "saya akan dengan senang hati", "saya dengan senang hati", "saya senang membantu", "saya bisa membantu",
        "saya siap membantu",
    ]),
    clauses: List::of(&[
        "sebagai model bahasa", "sebagai ai", "sebagai sebuah ai", "sebagai kecerdasan buatan", "sebagai asisten ai",
        "sebagai sebuah model bahasa",
    ]),
    kinds: List::of(&[
        "ai", "besar", "bahasa", "yang", "buatan", "dari",
    ]),
};

#[rustfmt::skip]
const GERMAN: Phrases = Phrases {
    words: List::of(&[
        "natürlich", "gerne", "gern", "sehr gerne", "selbstverständlich", "klar", "na klar", "sicher", "aber sicher",
        "absolut", "kein problem", "alles klar", "verstanden", "gerne doch", "gute frage", "sehr gute frage",
        "ausgezeichnete frage", "das ist eine gute frage", "das ist eine sehr gute frage", "danke für deine frage",
        "vielen dank für ihre frage", "vielen dank für deine frage",
    ]),
    announcements: List::of(&[
        "hier ist", "hier sind", "hier findest du", "hier finden sie", "hier kommt", "im folgenden", "nachfolgend",
        "hier ein", "hier eine", "hier der", "hier die", "hier das",
    ]),
    pointers: List::of(&[]),
    offers: List::of(&[
        "ich helfe dir gerne", "ich helfe ihnen gerne", "ich helfe gerne", "gerne helfe ich",
        "ich kann dir dabei helfen", "ich kann ihnen dabei helfen", "das mache ich gerne",
    ]),
    clauses: List::of(&[
        "als ki", "als ki-sprachmodell", "als sprachmodell", "als großes sprachmodell", "als künstliche intelligenz",
        "als ein ki",
    ]),
    kinds: List::of(&[]),
};

#[rustfmt::skip]
const JAPANESE: Phrases = Phrases {
    words: List::of(&[
        "もちろん", "もちろんです", "はい、もちろんです", "はい、もちろん", "承知しました", "承知いたしました", "かしこまりました", "わかりました", "了解しました", "喜んで",
        "良い質問ですね", "いい質問ですね", "素晴らしい質問ですね",
    ]),
    announcements: List::of(&[
        "以下は", "以下が", "以下に", "こちらが", "こちらは", "次の",
    ]),
    pointers: List::of(&[]),
    offers: List::of(&[
        "喜んでお手伝い", "お手伝いします", "お手伝いさせて",
    ]),
    clauses: List::of(&[
        "aiとして", "ai言語モデルとして", "人工知能として", "私はaiなので", "大規模言語モデルとして", "言語モデルとして",
    ]),
    kinds: List::of(&[]),
};
