//! Seven languages in four scripts. For each, `tests/texts` has an original, a rewording of it, a report on a related
//! event, and a text on something else; only the first two are copies.
//!
//! And seven scripts without spaces: for each, a file of `tests/scripts` has six stories, a line each, of which none is a copy
//! of another.
//!
//! And eight releases of one police on different cases, a line each, in `tests/releases`: no copies.
//!
//! And for four languages a file of `tests/reports`, with two reports of one event by different writers, a line each: no copies either.
//! Nor are the two of `tests/follow-ups`, of one trial on different days, in Swahili.

#[path = "common/articles.rs"]
mod articles;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "common/prose.rs"]
mod prose;

use std::collections::BTreeMap;
use std::fmt::Write;

use articles::{articles, groups};
use retold::{Archive, Cluster, Detector, Relation, shared_passages};

fn by_language() -> BTreeMap<String, Vec<(String, String)>> {
    let mut languages: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for article in articles("tests/texts") {
        languages.entry(article.0[..2].to_string()).or_default().push(article);
    }
    languages
}

fn copies(language: &str) -> [String; 2] {
    ["original", "reworded"].map(|role| format!("{language}-{role}"))
}

#[test]
fn there_are_four_texts_in_each_of_seven_languages() {
    let languages = by_language();
    assert_eq!(languages.keys().collect::<Vec<_>>(), ["ar", "de", "en", "es", "ru", "vi", "zh"]);
    assert!(languages.values().all(|texts| texts.len() == 4));
}

#[test]
fn rewordings_are_found_in_a_corpus_of_all_languages() {
    let report = Detector::new().find(&articles("tests/texts")).unwrap();
    let right: Vec<_> = by_language().into_keys().map(|language| copies(&language)).collect();
    assert_eq!(groups(&report), right);
    let members = report.clusters().iter().flat_map(Cluster::members);
    assert!(members.into_iter().all(|member| member.relation == Relation::Reworded), "a rewording is no edited copy");
}

#[test]
fn rewordings_are_found_in_each_language_alone() {
    // Four texts have no document frequencies to speak of, and the prior that comes with the crate is of English.
    let mut wrong = Vec::new();
    for (language, texts) in by_language() {
        let report = Detector::new().find(&texts).unwrap();
        if groups(&report) != [copies(&language)] {
            wrong.push(format!("{language}: {:?}", groups(&report)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a page may print at each of its stories.
const NOTES: [(&str, &str); 7] = [
    (
        "ar",
        "ظهر هذا المقال أولا في عدد نهاية الأسبوع واختصر للموقع. يجد القارئ النص الكامل في الأرشيف المفتوح للمشتركين مجانا، ويسهل البحث فيه بالهاتف أيضا.",
    ),
    (
        "de",
        "Dieser Beitrag erschien zuerst in der Wochenendausgabe und wurde für die Webseite gekürzt. Wer ihn ganz lesen will, findet ihn im Archiv, das Abonnenten kostenlos offensteht.",
    ),
    (
        "en",
        "This piece first appeared in the weekend edition and was cut for the website. Whoever wants to read all of it finds it in the archive, which is open to subscribers free of charge.",
    ),
    (
        "es",
        "Este artículo apareció primero en la edición del fin de semana y se abrevió para la página. Quien quiera leerlo entero lo encuentra en el archivo, abierto sin coste a los suscriptores.",
    ),
    (
        "ru",
        "Эта статья впервые вышла в субботнем номере и сокращена для сайта. Полный текст есть в архиве, который открыт подписчикам бесплатно и которым удобно пользоваться с телефона.",
    ),
    (
        "vi",
        "Bài này đăng lần đầu trong số cuối tuần và được rút ngắn cho trang mạng. Ai muốn đọc toàn bộ có thể tìm trong kho lưu trữ, mở miễn phí cho người đặt báo dài hạn.",
    ),
    (
        "zh",
        "本文首次刊登于周末版，并为网站作了删节。想阅读全文的读者可以在资料库中找到，订户可免费查阅，用手机检索也很方便。",
    ),
];

fn with_note(text: &str, note: &str, is_on_top: bool) -> String {
    if is_on_top { format!("{note}\n\n{text}") } else { format!("{text}\n\n{note}") }
}

#[test]
fn what_a_page_prints_at_its_stories_joins_none_of_them() {
    let mut wrong = Vec::new();
    for (language, note) in NOTES {
        let texts = &by_language()[language];
        for is_on_top in [true, false] {
            let texts: Vec<_> = texts.iter().map(|(id, text)| (id, with_note(text, note, is_on_top))).collect();
            let report = Detector::new().find(&texts).unwrap();
            if groups(&report) != [copies(language)] {
                wrong.push(format!("{language}: {:?}", groups(&report)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Stories of which none is a copy of another, each about as long as the notes.
const GERMAN: [&str; 6] = [
    "Die Hafenbehörde hat am Montag angekündigt, dass die Fähre nach Orrin ab März nicht mehr fährt. Im Winter seien weniger als neun Menschen am Tag über die Bucht gefahren, und das alte Schiff werde die nächste Prüfung kaum bestehen.",
    "Schnee hat die Straße nach Hallin zum dritten Mal in dieser Woche gesperrt. Die Gäste des Hotels spielten bei Kerzenlicht Karten, während Räumfahrzeuge vergeblich versuchten, den Pass vor Einbruch der Dunkelheit freizubekommen.",
    "Eine Bäckerin aus Velden hat in ihrem Keller eine Münzsammlung gefunden, die ein Museum auf vierzigtausend Euro schätzt. Sie will das Geld in einen neuen Ofen stecken und den Rest der Feuerwehr schenken.",
    "Der Gemeinderat von Sankt Aldo streitet seit Wochen über die Farbe der neuen Parkbänke. Nun soll ein Los entscheiden, weil weder Grün noch Braun eine Mehrheit bekam und der Bürgermeister auf Urlaub ist.",
    "Forscherinnen der Universität haben in einem Bergsee eine Krebsart entdeckt, die seit hundert Jahren als ausgestorben galt. Das Tier ist kaum größer als ein Fingernagel und leuchtet im Dunkeln schwach bläulich.",
    "Nach dem Sturm fehlen auf dem Friedhof von Marn elf alte Linden. Ein Gärtner will ihre Stämme zu Tischen verarbeiten, und Angehörige dürfen sich bis Pfingsten melden, wenn sie ein Brett zur Erinnerung haben möchten.",
];

const RUSSIAN: [&str; 4] = [
    "Портовое управление сообщило в понедельник, что паром на остров с марта ходить не будет. Зимой через залив ездило меньше девяти человек в день, и старое судно вряд ли пройдёт следующую проверку.",
    "Снег в третий раз за неделю закрыл дорогу к горной гостинице. Постояльцы играли в карты при свечах, пока снегоочистители напрасно пытались расчистить перевал до темноты.",
    "Пекарь из маленького города нашла в подвале собрание монет, которое музей оценил в сорок тысяч. Деньги она хочет вложить в новую печь, а остаток подарить пожарным.",
    "Депутаты посёлка несколько недель спорят о цвете новых скамеек в парке. Теперь решит жребий, потому что ни зелёный, ни коричневый не набрали большинства, а глава уехал в отпуск.",
];

/// What stands above a note that the story is not there any more.
const TEASERS: [&str; 12] = [
    "Reaktion auf Schelte von Brüssel und Währungsfonds",
    "Hafenbehörde verschärft Kontrollen, Zahl der Verletzten unklar, Wahlkampf unterbrochen",
    "Privater Besuch ohne Publikum, die beiden kennen einander seit langem",
    "Der Schritt der Armee folgt auf ähnliche Maßnahmen gegen eine Zeitung",
    "Ministerin lehnt Neuwahlen im Herbst ab",
    "Drei Kletterer nach zwei Nächten aus der Nordwand gerettet",
    "Gericht hebt Verbot des Verkaufs alter Straßenbahnen auf",
    "Bank erwartet im dritten Jahr in Folge Verluste",
    "Fischer protestieren im Hafen gegen neue Quoten",
    "Polizei findet gestohlene Gemälde in einer Scheune an der Grenze",
    "Schulen bleiben am Montag wegen des Sturms geschlossen",
    "Gewerkschaft ruft vor Ostern zum Streik am Flughafen auf",
];

const GONE: &str = "Der ganze Wortlaut dieses Berichts, der auf Meldungen von Agenturen beruht, ist aus rechtlichen Gründen nicht mehr abrufbar.";

#[test]
fn notes_as_long_as_the_stories_join_none_of_them() {
    for (language, stories) in [("de", &GERMAN[..]), ("ru", &RUSSIAN)] {
        let note = NOTES.iter().find(|(of, _)| *of == language).unwrap().1;
        for count in 2..=stories.len() {
            for is_on_top in [true, false] {
                let articles: Vec<_> =
                    stories[..count].iter().map(|story| (story, with_note(story, note, is_on_top))).collect();
                let report = Detector::new().find(&articles).unwrap();
                assert!(report.clusters().is_empty(), "{language}, {count}: {:?}", report.clusters());
            }
        }
    }
}

#[test]
fn a_note_that_is_most_of_each_text_makes_no_rewordings() {
    let texts: Vec<_> = TEASERS.map(|teaser| (teaser, format!("{teaser}. {GONE}"))).into();
    for count in [2, 3, 12] {
        let report = Detector::new().find(&texts[..count]).unwrap();
        // Where more than half of all phrases are those of the note, they are edited copies by definition.
        let members = || report.clusters().iter().flat_map(Cluster::members);
        assert!(members().all(|member| member.relation == Relation::Near), "{count}: {:?}", report.clusters());
    }
}

#[test]
fn releases_in_a_script_without_capitals_stay_apart() {
    let releases = articles("tests/releases").remove(0).1;
    let releases: Vec<_> = releases.lines().map(|release| (release, release.to_string())).collect();
    assert_eq!(releases.len(), 8);
    // A foreign name or two do not make names known.
    let mut with_names = releases.clone();
    for ((_, text), name) in
        with_names.iter_mut().zip(["AFP", "Facebook", "BBC", "Reuters", "AFP", "WhatsApp", "BBC", "Facebook"])
    {
        let middle = text.char_indices().filter(|(_, c)| *c == ' ').nth(20).unwrap().0;
        text.insert_str(middle, &format!(" {name}"));
    }
    for releases in [releases, with_names] {
        let report = Detector::new().find(&releases).unwrap();
        assert!(report.clusters().is_empty(), "{:?}", groups(&report));
    }
}

#[test]
fn few_texts_of_a_language_are_judged_among_english_ones_as_by_themselves() {
    let mut few = articles("tests/texts");
    few.retain(|(id, _)| !id.starts_with("en"));
    for (language, text) in articles("tests/reports") {
        assert_eq!(text.lines().count(), 2);
        few.extend(text.lines().zip(0..).map(|(report, n)| (format!("{language} {n}"), report.to_string())));
    }
    let alone = Detector::new().find(&few).unwrap();
    let right: Vec<_> =
        by_language().into_keys().filter(|language| language != "en").map(|language| copies(&language)).collect();
    assert_eq!(groups(&alone), right);
    let all = [few, prose::stories(3000, 5)].concat();
    let among = Detector::new().find(&all).unwrap();
    assert_eq!(groups(&among), right);
    let folder = tempfile::tempdir().unwrap();
    let mut archive = Archive::create(folder.path().join("archive"), &Detector::new()).unwrap();
    archive.add_all(&all).unwrap();
    archive.take_census().unwrap();
    for (alone, among) in alone.clusters().iter().zip(among.clusters()) {
        let [alone, among] = [alone, among].map(|cluster| &cluster.members()[0]);
        let (before, now) = (alone.similarity, among.similarity);
        assert!((before - now).abs() < 0.1, "{}: {before} alone, {now} among others", alone.id);
        // The article itself is an exact copy.
        let found = archive.matches(&all[among.position]).unwrap();
        let found: Vec<f32> = found[1..].iter().map(|found| found.similarity).collect();
        assert_eq!(found, [now], "{}", among.id);
    }
}

#[test]
fn foreign_follow_ups_are_no_copies_where_hardly_anything_is() {
    let mut texts = articles("tests/texts");
    let (_, trial) = &articles("tests/follow-ups")[0];
    assert_eq!(trial.lines().count(), 2);
    texts.extend(trial.lines().zip(0..).map(|(report, day)| (format!("day {day}"), report.to_string())));
    let right: Vec<_> = by_language().into_keys().map(|language| copies(&language)).collect();
    // As common as look-alikes of plain news in Lingala, Shona or Yoruba were found to be copies.
    let report = Detector::builder().prior(0.01).build().unwrap().find(&texts).unwrap();
    assert_eq!(groups(&report), right);
}

#[test]
fn a_rewording_tells_more_alike_than_anything_else() {
    for (language, texts) in by_language() {
        let text = |role: &str| &texts.iter().find(|text| text.0 == format!("{language}-{role}")).unwrap().1;
        let told = |role: &str| -> usize {
            shared_passages(text("original"), text(role)).iter().map(|passage| passage.left.len()).sum()
        };
        assert!(told("reworded") * 4 > text("original").len(), "{language}: {}", told("reworded"));
        assert!(told("reworded") > 2 * told("related").max(told("other")), "{language}: {}", told("related"));
    }
}

/// The stories of each script without spaces, with an id each.
fn by_script() -> Vec<(String, Vec<(String, String)>)> {
    let stories = |text: &str| -> Vec<(String, String)> {
        text.lines().zip(0..).map(|(story, n)| (format!("story {n}"), story.to_string())).collect()
    };
    let scripts: Vec<_> =
        articles("tests/scripts").into_iter().map(|(script, text)| (script, stories(&text))).collect();
    let names: Vec<_> = scripts.iter().map(|(script, _)| script.as_str()).collect();
    assert_eq!(names, ["burmese", "chinese", "hiragana", "katakana", "khmer", "lao", "thai"]);
    assert!(scripts.iter().all(|(_, stories)| stories.len() == 6));
    scripts
}

#[test]
fn unrelated_stories_in_scripts_without_spaces_stay_apart() {
    let mut wrong = String::new();
    for (script, stories) in by_script() {
        let report = Detector::new().find(&stories).unwrap();
        if !report.clusters().is_empty() {
            writeln!(wrong, "{script}: {:?}", groups(&report)).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_long_text_that_has_the_characters_of_a_short_one_tells_something_else() {
    let stories = by_script().remove(1).1;
    let mut more = by_language().remove("zh").unwrap();
    more.extend(articles("tests/reports").into_iter().filter(|(language, _)| language == "chinese"));
    for (short, text) in &stories {
        let others = more.iter().chain(stories.iter().filter(|(other, _)| other != short));
        let long: Vec<&str> = others.map(|(_, text)| text.as_str()).collect();
        let report = Detector::new().find(&[("long", &long.join("\n")), (short, text)]).unwrap();
        assert!(report.clusters().is_empty(), "{:?}", report.clusters());
    }
}

#[test]
fn edited_copies_in_scripts_without_spaces_are_near() {
    for (script, mut stories) in by_script() {
        // One clause is left out, and a word is put in.
        let clauses: Vec<_> = stories[0].1.split_inclusive([' ', '。', '，', '။']).collect();
        let mut edited = clauses[1..].concat();
        let middle = edited.char_indices().map(|(at, _)| at).nth(edited.chars().count() / 2).unwrap();
        edited.insert_str(middle, " 2026 ");
        stories.push(("edited".to_string(), edited));
        let report = Detector::new().find(&stories).unwrap();
        assert_eq!(groups(&report), [["edited", "story 0"]], "{script}");
        assert_eq!(report.clusters()[0].members()[0].relation, Relation::Near, "{script}");
    }
}

/// Texts of some words each in which every word is written in another way that reads the same.
#[test]
fn optional_and_invisible_marks_hide_no_copy() {
    let pairs = [
        (
            "غادرت السفينة القديمة الميناء عند الفجر ومعها رسائل كثيرة من أهل القرية إلى أبنائهم في المدينة البعيدة",
            "غَادَرَتِ السَّفِينَةُ القَدِيمَةُ المِينَاءَ عِنْدَ الفَجْرِ وَمَعَهَا رَسَائِلُ كَثِيرَةٌ مِنْ أَهْلِ القَرْيَةِ إِلَى أَبْنَائِهِمْ فِي المَدِينَةِ البَعِيدَةِ",
        ),
        (
            "غادرت السفينة القديمة الميناء عند الفجر ومعها رسائل كثيرة من أهل القرية إلى أبنائهم في المدينة البعيدة",
            "غـادرت السـفينة القـديمة المـيناء عـند الفـجر ومعـها رسـائل كـثيرة مـن أهـل القـرية إلـى أبـنائهم فـي المـدينة البعـيدة",
        ),
        (
            "הספינה הישנה יצאה מן הנמל עם שחר ובה מכתבים רבים מאנשי הכפר אל ילדיהם בעיר הרחוקה",
            "הַסְּפִינָה הַיְשָׁנָה יָצְאָה מִן הַנָּמֵל עִם שַׁחַר וּבָהּ מִכְתָּבִים רַבִּים מֵאַנְשֵׁי הַכְּפָר אֶל יַלְדֵיהֶם בָּעִיר הָרְחוֹקָה",
        ),
        (
            "ܐܠܦܐ ܥܬܝܩܬܐ ܢܦܩܬ ܡܢ ܠܡܐܢܐ ܒܨܦܪܐ ܥܡ ܐܓܪܬܐ ܣܓܝܐܬܐ ܡܢ ܒܢܝ ܩܪܝܬܐ",
            "ܐܶܠܦܳܐ ܥܰܬܺܝܩܬܳܐ ܢܶܦܩܰܬ ܡܶܢ ܠܡܺܐܢܳܐ ܒܨܰܦܪܳܐ ܥܰܡ ܐܶܓܪܳܬܳܐ ܣܰܓܺܝܳܐܬܳܐ ܡܶܢ ܒܢܰܝ ܩܪܺܝܬܳܐ",
        ),
    ];
    let mut pairs: Vec<_> = pairs.map(|(plain, marked)| (plain.to_string(), marked.to_string())).into();
    let plain =
        "The old ferry left the harbour at dawn with many letters from the people of the village to their children";
    for invisible in ["\u{200b}", "\u{2060}", "\u{feff}", "\u{ad}", "\u{fe0f}", "\u{202b}", "\u{e0061}", "\u{180e}"] {
        let marked = plain.split(' ').map(|word| format!("{}{invisible}{}", &word[..1], &word[1..]));
        pairs.push((plain.to_string(), marked.collect::<Vec<_>>().join(" ")));
    }
    for (plain, marked) in pairs {
        let report = Detector::new().find(&[("plain", &plain), ("marked", &marked)]).unwrap();
        assert_eq!(groups(&report), [["marked", "plain"]], "{marked}");
        assert_eq!(report.clusters()[0].members()[0].relation, Relation::Exact, "{marked}");
    }
}
