//! Whole kinds of look-alikes that are no copies: furniture of the page, forms filled with other facts, other reports of an event
//! and what followed it. All are texts of our own making, alone and among generated news.

#[path = "common/articles.rs"]
mod articles;
#[path = "common/forms.rs"]
mod forms;
#[path = "common/prose.rs"]
mod prose;

use articles::{articles, groups};
use forms::{FOREIGN, FORMS, Form};
use prose::{Naming, Rng, stories, story};
use retold::{Cluster, Detector};

/// An article: its id and its text.
type Text = (String, String);

/// Where furniture stands on the page.
#[derive(Clone, Copy, Debug)]
enum Place {
    Top,
    Middle,
    Bottom,
}

const FOOTER_30: &str = "Read more of our reporting in the app, follow us on all channels, and sign up to the Evening Digest, a free letter \
    with the best of the day, every weekday at six.";

const FOOTER_72: &str = "The Lindfell Chronicle is published by Harbour Lane Press and printed on recycled paper. We correct mistakes as soon as \
    we learn of them: write to the readers’ editor, Dorothea Finch, at 12 Harbour Lane, or leave a message after office hours. Articles may not be \
    copied, framed or archived without permission. Photographs can be ordered from the picture desk for private use. Subscribers receive the \
    weekend magazine, the crossword book and a discount on all of our walks.";

const FOOTER_150: &str = "About the author: Mortimer Sallow has written about money, gardens and the sea for more than thirty years. He studied \
    geology at Kelding, sold encyclopaedias in three languages, and came to journalism when a strike left him stranded in a port without a ticket \
    home. His column appears on alternate Thursdays. The opinions that he holds are his own, and nothing here is advice to buy or to sell; ask \
    somebody qualified before you act on it. Neither the publisher nor any of its partners is liable for losses, however they arise. If you enjoyed \
    this piece, consider a donation: our newsroom has no owner but its readers, and each contribution, large or small, pays for lawyers, trains and \
    patient listening. Comments are closed after five days and are moderated by volunteers. Advertisements are marked as such. To hear about \
    lectures and excursions, join the circle of friends at the desk in the foyer.";

const FURNITURE: [&str; 3] = [FOOTER_30, FOOTER_72, FOOTER_150];

/// So many unrelated stories with the same furniture, which are hardly longer than it.
fn furnished(furniture: &str, place: Place, naming: Naming, count: usize) -> Vec<Text> {
    let words = furniture.split_whitespace().count().max(60);
    let of = |at: usize| {
        let text = story(&mut Rng::new(7 << 32 | (words * 1000 + at) as u64), naming, words);
        let text = match place {
            Place::Top => format!("{furniture}\n\n{text}"),
            Place::Bottom => format!("{text}\n\n{furniture}"),
            Place::Middle => {
                let ends = text.match_indices(". ").map(|(at, _)| at + 1);
                let cut = ends.take_while(|&at| at * 2 <= text.len()).last().unwrap_or(0);
                format!("{}\n\n{furniture}\n\n{}", &text[..cut], text[cut..].trim_start())
            }
        };
        (format!("{place:?} {words} {at:03}"), text)
    };
    (0..count).map(of).collect()
}

/// So many fillings of a form, by people of one county or from anywhere.
fn filled((name, fill): Form, count: usize, county: Option<u64>) -> Vec<Text> {
    let text = |at: usize| {
        let seed = 77 << 32 | at as u64;
        fill(&mut county.map_or_else(|| Rng::new(seed), |county| Rng::of_county(seed, county)))
    };
    (0..count).map(|at| (format!("{name} {at:03}"), text(at))).collect()
}

/// Each cluster among articles of which none is a copy of another, as a line; all of them begin with what was looked at.
fn joined(what: &str, texts: &[Text]) -> Vec<String> {
    let report = Detector::new().find(texts).unwrap();
    let told = |cluster: &Cluster| {
        let members = cluster.members().iter().map(|member| format!("{} {:.2}", member.id, member.similarity));
        let first = &cluster.representative().id;
        format!("{what}: {first}, {}", members.collect::<Vec<_>>().join(", "))
    };
    report.clusters().iter().map(told).collect()
}

fn assert_none(joined: &[String]) {
    assert!(joined.is_empty(), "{} clusters of texts that are no copies:\n{}", joined.len(), joined.join("\n"));
}

#[test]
fn the_generated_news_around_has_no_copies() {
    assert_none(&joined("stories", &stories(2000, 1)));
}

/// What furniture joins of so many stories, alone and among others, wherever it stands.
fn joined_by_furniture(naming: Naming, count: usize) -> Vec<String> {
    let others = stories(2000, 1);
    let mut wrong = Vec::new();
    for place in [Place::Top, Place::Middle, Place::Bottom] {
        let furnished = FURNITURE.map(|furniture| furnished(furniture, place, naming, count));
        for texts in &furnished {
            wrong.extend(joined(&format!("{count} stories"), texts));
        }
        wrong.extend(joined(
            &format!("{count} stories each, among others"),
            &[furnished.concat(), others.clone()].concat(),
        ));
    }
    wrong
}

#[test]
fn furniture_joins_no_stories() {
    assert_none(&[3, 20, 200].map(|count| joined_by_furniture(Naming::Names, count)).concat());
}

#[test]
fn furniture_joins_no_stories_without_names() {
    assert_none(&[3, 20, 200].map(|count| joined_by_furniture(Naming::NoNames, count)).concat());
}

#[test]
fn what_is_printed_under_a_story_does_not_hide_its_copy() {
    // The same furniture under a story and under its rewording, and under others.
    let mut texts = furnished(FOOTER_72, Place::Bottom, Naming::Names, 20);
    let lookalikes = articles("tests/lookalikes");
    let pair = lookalikes.iter().filter(|(name, _)| ["fire-original", "fire-reworded"].contains(&name.as_str()));
    texts.extend(pair.map(|(name, text)| (name.clone(), format!("{text}\n\n{FOOTER_72}"))));
    let report = Detector::new().find(&texts).unwrap();
    assert_eq!(groups(&report), [["fire-original", "fire-reworded"]]);
}

/// What is joined of so many fillings of some forms, each alone and all of them among other stories.
fn joined_fillings(forms: &[Form], count: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    for (where_from, county) in [("from anywhere", None), ("from one county", Some(9))] {
        for &form in forms {
            wrong.extend(joined(&format!("{count} {where_from}"), &filled(form, count, county)));
        }
        let mut texts = stories(1000, 1);
        texts.extend(forms.iter().flat_map(|&form| filled(form, count, county)));
        wrong.extend(joined(&format!("{count} {where_from} among others"), &texts));
    }
    wrong
}

/// Forms with blanks for names and words and hardly any figure, of whose fillings some are still taken for rewordings of each other.
const TAKEN_FOR_REWORDINGS: [&str; 1] = ["appointment"];

fn forms(taken_for_rewordings: bool) -> Vec<Form> {
    FORMS.into_iter().filter(|(name, _)| TAKEN_FOR_REWORDINGS.contains(name) == taken_for_rewordings).collect()
}

#[test]
fn fillings_of_a_form_are_no_copies() {
    let forms = forms(false);
    assert_eq!(forms.len(), FORMS.len() - TAKEN_FOR_REWORDINGS.len());
    assert_none(&[3, 12, 60].map(|count| joined_fillings(&forms, count)).concat());
}

#[test]
#[ignore = "known fault: where more than a third of the stems are names, new names are not weighed, so that forms full of them are joined"]
fn fillings_of_a_form_of_names_are_no_copies() {
    assert_none(&[3, 12, 60].map(|count| joined_fillings(&forms(true), count)).concat());
}

#[test]
fn fillings_of_a_form_are_no_copies_in_other_languages() {
    for form in FOREIGN {
        let joined = joined("12 fillings", &filled(form, 12, None));
        // Of a few fillings chance makes all figures but one or two the same.
        assert!(joined.len() <= 1, "{joined:?}");
    }
}

#[test]
fn a_filling_printed_twice_is_found() {
    for form in FORMS.into_iter().chain(FOREIGN) {
        let mut texts = filled(form, 12, Some(9));
        let (id, text) = texts[4].clone();
        let again = format!("{id} again");
        texts.push((again.clone(), text.to_uppercase()));
        let report = Detector::new().find(&texts).unwrap();
        let groups = groups(&report);
        let of_it = groups.iter().find(|group| group.contains(&id.as_str()));
        assert!(of_it.is_some_and(|group| group.contains(&again.as_str())), "{id}");
    }
}

/// Originals and their rewordings, other reporters’ accounts of the same events, and what was news on the next day; and a notice such
/// as is written by a form, with its rewording.
fn events() -> Vec<Text> {
    let texts = articles("tests/lookalikes");
    assert_eq!(texts.len(), 18);
    texts
}

const REWORDED: [[&str; 2]; 5] = [
    ["bridge-original", "bridge-reworded"],
    ["council-original", "council-reworded"],
    ["fire-original", "fire-reworded"],
    ["notice-original", "notice-reworded"],
    ["trial-original", "trial-reworded"],
];

#[test]
fn rewordings_are_found_and_other_reports_of_the_event_stay_apart() {
    let report = Detector::new().find(&events()).unwrap();
    assert_eq!(groups(&report), REWORDED);
}

#[test]
fn rewordings_are_found_and_other_reports_of_the_event_stay_apart_among_others() {
    for others in [30, 300, 3000] {
        let mut texts = stories(others, 2);
        texts.extend(events());
        let report = Detector::new().find(&texts).unwrap();
        assert_eq!(groups(&report), REWORDED, "among {others}");
    }
}

#[test]
fn without_the_original_nothing_is_left_but_what_retells_it() {
    // Of each event all but the original: the rewording is no copy of an independent report either.
    let texts: Vec<Text> = events().into_iter().filter(|(name, _)| !name.ends_with("-original")).collect();
    let mut wrong = joined("alone", &texts);
    wrong.extend(joined("among others", &[stories(1000, 2), texts].concat()));
    assert_none(&wrong);
}
