//! The page that `dedup --format html` writes: as it is written, and, where there is a Chromium, as it works there.

#[cfg(unix)]
#[path = "common/browser.rs"]
mod browser;
mod common;
#[path = "common/random.rs"]
mod random;

use std::fs;
use std::path::Path;

use common::{FERRY, Temp, dedup, line, seeds, stdout};

/// The page of a folder or file.
fn page(folder: &Path, args: &[&str]) -> String {
    stdout(folder, &[&["--quiet", "--format", "html"], args].concat())
}

/// What stands between two marks, for each place where the first occurs.
fn between<'a>(page: &'a str, from: &'a str, to: &'a str) -> impl Iterator<Item = &'a str> {
    page.split(from).skip(1).map(move |rest| rest.split_once(to).unwrap().0)
}

/// The texts in a page as a browser reads them, in UTF-16.
fn texts(page: &str) -> Vec<Vec<u16>> {
    between(page, r#"<div class="text""#, "</div>")
        .filter_map(|text| text.split_once(r#" dir="auto">"#))
        .map(|(_, text)| text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").encode_utf16().collect())
        .filter(|text: &Vec<u16>| !text.is_empty())
        .collect()
}

/// Whatever a text may hold that could harm a page.
fn hostile() -> String {
    format!(
        "\u{feff}<script>window.harmed = 1</script> {FERRY}\r\n</div></details><img src=x onerror=harmed=1>\r\
         <!-- ]]> --> &lt;b&gt; &amp; ' \" `${{harmed = 1}}` {{{{title}}}} \0 \u{1b}[31m \u{7f} \u{85} \u{9b}2J\t\
         \u{202e}reversed\u{202c} \u{2066}apart\u{2069} \u{5d0}\u{5d1}\u{5d2} 😀 é e\u{301} 渡船 </script> \u{2028} \u{fffe} end"
    )
}

/// The same as a page shows it.
fn harmless() -> String {
    format!(
        "\u{feff}<script>window.harmed = 1</script> {FERRY}\n</div></details><img src=x onerror=harmed=1>\n\
         <!-- ]]> --> &lt;b&gt; &amp; ' \" `${{harmed = 1}}` {{{{title}}}} \u{2400} \u{241b}[31m \u{2421} \u{fffd} \u{fffd}2J\t\
         \u{fffd}reversed\u{202c} \u{2066}apart\u{2069} \u{5d0}\u{5d1}\u{5d2} 😀 é e\u{301} 渡船 </script> \u{2028} \u{fffe} end"
    )
}

/// A pair of copies that are hostile in text and id, one with a word more before and after, and a text on one long line.
fn hostile_folder() -> Temp {
    let text = hostile();
    let long = "a line without an end ".repeat(50_000) + &"x".repeat(100_000);
    let bad = "{\"id\":\"<script>harmed=1</script>\\u202e\",\"\\u001b<img>\":1}\n";
    Temp::new("hostile").with(
        "x.jsonl",
        line("<script>harmed=1</script>", &text)
            + &line("</script>\u{1b}\u{202e}' onclick='harmed=1", &format!("première {text} last"))
            + &line("long", &long)
            + &line("long too", &long)
            + bad,
    )
}

#[test]
fn what_is_in_a_text_stays_text() {
    let clean = page(&seeds(), &["."]);
    let page = page(&hostile_folder(), &["x.jsonl"]);
    for tag in ["<script", "</script", "<img", "<!--"] {
        assert_eq!(page.matches(tag).count(), clean.matches(tag).count(), "{tag}");
    }
    let harmful = |c: char| (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{202d}' | '\u{202e}');
    assert_eq!(page.chars().find(|&c| harmful(c)), None);
    let texts = texts(&page);
    assert_eq!(String::from_utf16(&texts[1]).unwrap(), harmless());
    assert!(page.contains("&lt;script&gt;harmed=1&lt;/script&gt;"), "the id");
    assert!(page.contains("1 article left out"), "what was skipped");
}

#[test]
fn the_places_of_passages_are_those_of_the_texts_in_the_page() {
    let page = page(&hostile_folder(), &["x.jsonl"]);
    let texts = texts(&page);
    let passages: Vec<[usize; 5]> =
        serde_json::from_str(between(&page, "data-passages=\"", "\"").next().unwrap()).unwrap();
    assert!(!passages.is_empty());
    for [left, left_end, right, right_end, kind] in passages {
        let (left, right) = (&texts[0][left..left_end], &texts[1][right..right_end]);
        let (left, right) = (String::from_utf16(left).unwrap(), String::from_utf16(right).unwrap());
        assert_eq!((kind, &left), (0, &right));
        assert!(left.starts_with(char::is_alphanumeric) && left.ends_with(char::is_alphanumeric), "{left:?}");
    }
}

#[test]
fn each_text_stands_in_the_page_once() {
    let copies = (0..50).map(|n| line(&format!("copy {n}"), FERRY)).collect::<String>();
    let folder = Temp::new("once").with("x.jsonl", copies + &line("louder", &FERRY.to_uppercase()));
    let page = page(&folder, &["x.jsonl"]);
    assert_eq!(page.matches(&format!(">{FERRY}<")).count(), 1 + 1, "whole, and as the beginning in the list");
    assert_eq!(page.matches(&FERRY.to_uppercase()).count(), 1);
    assert_eq!(page.matches("The same text, to the letter").count(), 49);
}

#[test]
fn what_was_nearly_let_in_is_shown_beside_the_cluster() {
    let words = |range: std::ops::Range<u32>| range.map(|n| format!("word{n}")).collect::<Vec<_>>().join(" ");
    let folder = Temp::new("near-miss")
        .with("a.txt", words(0..100))
        .with("b.txt", words(0..101))
        .with("miss.txt", words(0..60) + " " + &words(200..240));
    let page = page(&folder, &["--level", "near", "."]);
    let miss = between(&page, "<li data-relation=\"none\"", "</li>").next().expect("a near miss");
    assert!(miss.contains("<bdi>miss.txt</bdi>") && miss.contains("the nearest that was not let in, 0.0"), "{miss}");
    assert!(page.contains(r#"data-size="2" data-weakest="0.98"#), "it is no member: {page}");
    let seeds = self::page(&seeds(), &["."]);
    assert_eq!(seeds.matches("data-relation=\"none\"").count(), 0, "nothing came near");
}

#[test]
fn compare_writes_the_page_of_one_pair() {
    let (left, right) = ("000_ferry-contract-reworded.txt", "003_essay-on-the-crossing.txt");
    let output = dedup().current_dir(seeds()).args(["compare", "--format", "html", left, right]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "no copies");
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(page.contains(&format!("<title>{left} beside {right}</title>")));
    assert!(page.contains(&format!("1 article held against <bdi>{left}</bdi>")));
    assert_eq!(texts(&page).len(), 2);
    let whole = stdout(&seeds(), &["compare", "--format", "html", left, "001_ferry-contract-original.txt"]);
    let passages = between(&whole, "data-passages=\"", "\"").next().unwrap();
    let passages: Vec<[usize; 5]> = serde_json::from_str(passages).unwrap();
    assert!(passages.len() >= 10, "{passages:?}");
}

#[test]
fn the_way_the_articles_come_does_not_change_the_page() {
    let whole = page(&seeds(), &["."]);
    let mut names: Vec<String> =
        fs::read_dir(seeds()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable_by(|a, b| b.cmp(a));
    let lines: String = names.iter().map(|name| line(name, &fs::read_to_string(seeds().join(name)).unwrap())).collect();
    let folder = Temp::new("page-order").with("all.jsonl", lines);
    for threads in ["1", "3"] {
        assert!(page(&folder, &["--threads", threads, "all.jsonl"]) == whole);
    }
}

#[test]
fn a_page_of_nothing_says_so() {
    let folder = Temp::new("page-nothing").with("a.txt", FERRY);
    let page = page(&folder, &["."]);
    assert!(page.contains("<title>0 clusters of copies among 1 article</title>"), "{page}");
    assert_eq!(texts(&page).len(), 0);
}

#[cfg(unix)]
mod in_a_browser {
    use super::*;
    use crate::browser::Browser;
    use serde_json::json;

    /// A browser with the page of `folder` open, unless there is none on this machine.
    fn open(folder: &Temp, page: &str) -> Option<Browser> {
        let file = folder.join("page.html");
        fs::write(&file, page).unwrap();
        let mut browser = Browser::start(folder)?;
        browser.open(&file);
        Some(browser)
    }

    /// For each pane the number of the current passage, and whether all that is shown of the pane includes its beginning.
    const CURRENT: &str = "['left', 'right'].map(side => {
        const pane = document.getElementById(side), mark = pane.querySelector('mark.current');
        const inside = mark && pane.getBoundingClientRect().top <= mark.getBoundingClientRect().top
            && mark.getBoundingClientRect().top < pane.getBoundingClientRect().bottom;
        return mark && [mark.dataset.number, inside];
    })";
    const HEADING: &str = "document.getElementById('heading').textContent";
    const SHOWN: &str = "[...document.querySelectorAll('#list > li')].filter(row => row.checkVisibility()).length";

    fn current(number: &str) -> serde_json::Value {
        json!([[number, true], [number, true]])
    }

    #[test]
    fn keys_step_through_clusters_and_passages() {
        let folder = Temp::new("keys");
        let Some(mut browser) = open(&folder, &page(&seeds(), &["."])) else { return };
        assert_eq!(browser.value("document.getElementById('viewer').checkVisibility()"), false);
        browser.press("j");
        assert_eq!(browser.value("location.hash"), "#c1");
        assert_eq!(browser.value(HEADING), "1 article like 000_ferry-contract-reworded.txt");
        let marks = browser.value("document.querySelectorAll('#left mark').length").as_u64().unwrap();
        assert!(marks >= 10, "{marks}");
        assert_eq!(browser.value("document.querySelectorAll('#right mark').length"), marks);
        let alike = "[...document.querySelectorAll('#left mark')].every(mark => mark.className ===
            document.querySelector(`#right [data-number='${mark.dataset.number}']`).className)";
        assert_eq!(browser.value(alike), true, "tinted alike");

        browser.press("n");
        assert_eq!(browser.value(CURRENT), current("1"));
        browser.press("nnnnnnnn");
        assert_eq!(browser.value(CURRENT), current("9"));
        browser.press("p");
        assert_eq!(browser.value(CURRENT), current("8"));
        assert!(
            browser
                .value("document.getElementById('passage').textContent")
                .as_str()
                .unwrap()
                .starts_with("Passage 8 of ")
        );
        browser.value("document.querySelector('#right mark[data-number=\"3\"]').click()");
        assert_eq!(browser.value(CURRENT), current("3"));

        browser.press("j");
        assert_eq!(browser.value(HEADING), "1 article like 004_school-hall-meeting.txt");
        assert_eq!(browser.value("document.querySelector('[aria-current]').hash"), "#c2");
        browser.press("j");
        assert_eq!(browser.value("location.hash"), "#c2", "the last one");
        browser.press("k");
        assert_eq!(browser.value("location.hash"), "#c1");

        browser.press("/j");
        assert_eq!(browser.value("[document.getElementById('search').value, location.hash]"), json!(["j", "#c1"]));
        browser.value("document.getElementById('search').blur(), document.getElementById('keys').click()");
        browser.press("j");
        assert_eq!(browser.value("location.hash"), "#c1", "keys are off");
        assert_eq!(browser.complaints, Vec::<serde_json::Value>::new());
    }

    #[test]
    fn search_filter_and_order_change_the_list() {
        let folder = Temp::new("filter");
        let Some(mut browser) = open(&folder, &page(&seeds(), &["."])) else { return };
        assert_eq!(browser.value(SHOWN), 2);
        let mut set = |id: &str, value: &str, event: &str| {
            browser.value(&format!(
                "(e => {{ e.value = '{value}'; e.dispatchEvent(new Event('{event}')) }})(document.getElementById('{id}'))"
            ));
            browser.value("document.getElementById('filter').requestSubmit()");
            let first =
                "[...document.querySelectorAll('#list > li')].find(row => row.checkVisibility())?.textContent ?? ''";
            (browser.value(SHOWN), browser.value(first).as_str().unwrap().to_owned())
        };
        // A word that stands in the middle of one text.
        let (count, first) = set("search", "FIVE-hour", "input");
        assert_eq!((count, first.contains("000_ferry")), (json!(1), true));
        assert_eq!(set("search", "006_school", "input").0, 1, "an id of a member");
        assert_eq!(set("search", "(no such words", "input").0, 0);
        assert_eq!(set("search", "", "input").0, 2);
        let (count, first) = set("relation", "near", "change");
        assert_eq!((count, first.contains("004_school")), (json!(1), true));
        assert_eq!(set("relation", "exact", "change").0, 0);
        assert_eq!(set("relation", "", "change").0, 2);
        assert_eq!(set("weakest", "0.9", "input").0, 1);
        let (count, first) = set("weakest", "1", "input");
        assert_eq!((count, first.contains("000_ferry")), (json!(2), true));
        assert!(set("order", "weakest", "change").1.contains("004_school"));
        assert_eq!(browser.complaints, Vec::<serde_json::Value>::new());
    }

    #[test]
    fn hostile_texts_harm_nothing() {
        let folder = hostile_folder();
        let Some(mut browser) = open(&folder, &page(&folder, &["x.jsonl"])) else { return };
        for cluster in ["#c1", "#c2"] {
            browser.value(&format!("location.hash = '{cluster}'"));
            browser.settle();
            browser.press("nnp");
        }
        let right = browser.value("document.getElementById('right').textContent.length").as_u64().unwrap();
        assert_eq!(right, 22 * 50_000 + 100_000);
        let wider = "document.documentElement.scrollWidth > innerWidth || right.scrollWidth > right.clientWidth";
        assert_eq!(browser.value(&format!("(right => {wider})(document.getElementById('right'))")), false);
        browser.value("location.hash = '#c1'");
        browser.settle();
        let shown = browser.value("['left', 'right'].map(side => document.getElementById(side).textContent)");
        let both = [format!("première {} last", harmless()), harmless()];
        assert!(
            both == [shown[0].as_str().unwrap(), shown[1].as_str().unwrap()]
                || both == [shown[1].as_str().unwrap(), shown[0].as_str().unwrap()],
            "{shown}"
        );
        assert_eq!(browser.value("typeof harmed"), "undefined");
        assert_eq!(browser.value("document.scripts.length"), 2);
        assert_eq!(browser.value("document.images.length"), 0);
        let marks = browser.value(
            "[...document.querySelectorAll('#left mark')].every(mark => mark.textContent ===
            document.querySelector(`#right [data-number='${mark.dataset.number}']`).textContent)",
        );
        assert_eq!(marks, true, "what is marked is the same in both");
        assert_eq!(browser.complaints, Vec::<serde_json::Value>::new());
    }

    #[test]
    fn five_thousand_clusters_are_a_list_and_one_open_pair() {
        let word = |n: u64| format!("w{:x}", random::mixed(n) >> 32);
        let lines: String = (0..5000)
            .map(|n| {
                let text: Vec<String> = (0..60).map(|k| word(n * 64 + k)).collect();
                let text = text.join(" ");
                line(&format!("{n:04}-a"), &text) + &line(&format!("{n:04}-b"), &format!("{text} more"))
            })
            .collect();
        let folder = Temp::new("many").with("x.jsonl", lines);
        let page = page(&folder, &["x.jsonl"]);
        let Some(mut browser) = open(&folder, &page) else { return };
        assert_eq!(browser.value("document.querySelectorAll('#list > li').length"), 5000);
        assert_eq!(browser.value("document.getElementById('clusters').checkVisibility()"), false, "only what is open");
        browser.value("location.hash = '#c4322'");
        browser.settle();
        browser.press("jn");
        assert_eq!(browser.value(HEADING), "1 article like 4322-a");
        assert_eq!(browser.value(CURRENT), current("1"));
        let word = word(1234 * 64 + 30);
        browser.value(&format!(
            "document.getElementById('search').value = '{word}', document.getElementById('filter').requestSubmit()"
        ));
        assert_eq!(browser.value("document.getElementById('count').textContent"), "1 of 5,000 clusters");
        browser.press("j");
        assert_eq!(browser.value(HEADING), "1 article like 1234-a");
        assert_eq!(browser.complaints, Vec::<serde_json::Value>::new());
    }

    #[test]
    fn a_large_cluster_is_listed_a_sheet_at_a_time() {
        let lines: String = (0..1200).map(|n| line(&format!("{n:04}"), FERRY)).collect();
        let folder = Temp::new("large").with("x.jsonl", lines);
        let Some(mut browser) = open(&folder, &page(&folder, &["x.jsonl"])) else { return };
        let listed = "[...document.querySelectorAll('#members button')].map(button => button.textContent.slice(0, 9))";
        let beside = "document.querySelector('#members [aria-pressed=true]').textContent.slice(0, 4)";
        assert_eq!(browser.value("location.hash"), "#c1", "one cluster is open at once");
        assert_eq!(browser.value(beside), "0001");
        browser.press("lh");
        assert_eq!(browser.value(beside), "0001");
        assert_eq!(browser.value(&format!("{listed}.length")), 501);
        browser.value("document.querySelector('#members li:last-child button').click()");
        browser.settle();
        assert_eq!(browser.value(beside), "0501");
        assert_eq!(browser.value(&format!("{listed}[0]")), "500 befor");
        assert_eq!(browser.value(&format!("{listed}.at(-1)")), "199 after");
        assert_eq!(browser.complaints, Vec::<serde_json::Value>::new());
    }

    #[test]
    fn without_script_everything_is_there_to_read() {
        let folder = Temp::new("plain");
        let Some(mut browser) = Browser::start(&folder) else { return };
        browser.call("Emulation.setScriptExecutionDisabled", json!({"value": true}));
        let file = folder.join("page.html");
        fs::write(&file, page(&seeds(), &["."])).unwrap();
        browser.open(&file);
        assert_eq!(browser.value("document.documentElement.className"), "");
        assert_eq!(
            browser.value("['viewer', 'filter'].some(id => document.getElementById(id).checkVisibility())"),
            false
        );
        let opened = "(entry => { entry.querySelector('details').open = true;
            return [entry.querySelector('.why').checkVisibility(), entry.querySelector('.text').checkVisibility()] })
            (document.querySelector('#c1 li:nth-child(2)'))";
        assert_eq!(browser.value(opened), json!([true, true]));
        assert_eq!(browser.complaints, Vec::<serde_json::Value>::new());
    }
}
