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
use retold::{Cluster, Detector, Lookalike};

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
    assert_none(&[3, 20].map(|count| joined_by_furniture(Naming::Names, count)).concat());
}

#[test]
fn furniture_joins_no_stories_without_names() {
    assert_none(&[3, 20].map(|count| joined_by_furniture(Naming::NoNames, count)).concat());
}

#[test]
#[ignore = "long; part of .ci/full"]
fn furniture_of_hundreds_joins_no_stories() {
    assert_none(&[Naming::Names, Naming::NoNames].map(|naming| joined_by_furniture(naming, 200)).concat());
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
    assert_none(&[3, 12].map(|count| joined_fillings(&forms, count)).concat());
}

#[test]
#[ignore = "long; part of .ci/full"]
fn many_fillings_of_a_form_are_no_copies() {
    assert_none(&joined_fillings(&forms(false), 60));
}

#[test]
#[ignore = "known fault: where more than a third of the stems are names, new names are not weighed, so that forms full of them are joined"]
fn fillings_of_a_form_of_names_are_no_copies() {
    assert_none(&[3, 12, 60].map(|count| joined_fillings(&forms(true), count)).concat());
}

#[test]
fn fillings_of_a_form_are_no_copies_in_other_languages() {
    for form in FOREIGN {
        for (what, others) in [("12 fillings", Vec::new()), ("12 fillings among others", stories(1000, 1))] {
            let joined = joined(what, &[filled(form, 12, None), others].concat());
            // Of a few fillings chance makes all figures but one or two the same.
            assert!(joined.len() <= 1, "{joined:?}");
        }
    }
}

#[test]
fn what_is_no_copy_whatever_its_numbers_is_told_as_what_it_is() {
    let detector = Detector::new();
    let mut told = 0;
    for form in FORMS.into_iter().chain(FOREIGN) {
        let fillings = filled(form, 6, Some(9));
        for (at, (id, left)) in fillings.iter().enumerate() {
            for (other, right) in &fillings[..at] {
                let pair = detector.compare_texts(left, right).unwrap();
                if pair.relation.is_none() && pair.similarity >= 0.5 {
                    let lookalike = pair.evidence.unwrap().content.unwrap().lookalike();
                    let is_told = matches!(lookalike, Some(Lookalike::Template | Lookalike::Block));
                    assert!(is_told, "{id}, {other}: {lookalike:?}");
                    told += 1;
                }
            }
        }
    }
    assert!(told > 20, "{told}");
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

/// A story, a short version in other words, and a report as short of what happened next.
const SHORTENED: [[&str; 3]; 3] = [
    [
        "The wooden footbridge over the Tamsel gorge will not be rebuilt. The council of Oberlinden voted on Wednesday evening by seven to \
         four to leave the gap open after an engineer, Ruta Halvik, told it that the rock on the northern side is crumbling and that anchors \
         for a new span would cost 860,000 crowns, twice as much as the village spends on its roads in a year. The old bridge, which was put up \
         by foresters in 1931, was swept away in March when meltwater carried a raft of logs into its pillars. Hikers now have to walk down to \
         the sawmill and up again, a detour of nearly three hours. Innkeeper Josip Verdan, whose terrace used to fill at noon, said he had sold \
         fewer than twenty lunches since Easter and might close in autumn. Councillor Mina Farkas, who had collected 1,200 signatures for a \
         rope bridge, called the decision timid. A rope bridge, Halvik answered, hangs from the same rock. The council did agree to \
         mark the detour with yellow signs and to ask the railway whether its maintenance tunnel could be opened to walkers on Sundays.",
        "A gorge must do without its footbridge. Crumbling rock would make anchors twice as dear as the roads of a whole year, and so the councillors \
         decided against a new span. Logs in the meltwater took the old one in spring. Whoever hikes there has three more hours to go, and \
         nobody eats at the inn. Signs are to help, and perhaps the tunnel of the railway.",
        "Police divers searched the Tamsel below Oberlinden on Saturday for two canoeists from Brenn, Edda Morath and her brother. Their boat \
         was found upside down at the sawmill. The river, swollen by 40 millimetres of rain, had been closed to paddlers since Thursday. \
         A helicopter joined the search at dusk. Their mother had reported them missing when they failed to return a rented trailer to a shop in \
         Kasten.",
    ],
    [
        "A lorry driver who stopped to stretch his legs has found the bronze bell that was stolen from the chapel of Saint Orsola eleven years \
         ago. Tomaso Brighi, 58, was walking along a ditch beside the motorway near Castelmora when he saw what he took for the rim of a \
         cauldron under brambles. It took firemen most of Tuesday to lift the bell, which weighs 340 kilograms and was cast in 1608 by the founder \
         Bartolo Zenti. Its clapper is missing and one lip is dented, but the inscription, a prayer against hail, can be read without effort. \
         Thieves had lowered it from the tower by night with a stolen crane; two scrap dealers were questioned at the time and let go. The parish \
         priest, Don Elio Marchetti, wept when he was called. He had never bought another bell, he said, since farmers told him that it would \
         not keep the hail away. A restorer in Verolo will mend the lip without charge. Brighi was offered a reward of 5,000 euros that the \
         diocese had put aside, and asked for a barrel of the chapel's wine instead. The bell is to ring again at the grape harvest.",
        "Eleven years after thieves lifted it out of its tower, the bell of a chapel has come to light under brambles beside the motorway. \
         A driver took its rim for a cauldron when he went for a walk. The clapper is lost, but the prayer against hail can still be made out. \
         Instead of a reward he asked for wine. It will be heard at the harvest, once the dent is mended for free.",
        "Hail the size of walnuts has ruined half of the grapes around Castelmora. Growers met at the chapel of Saint Orsola on Friday and asked \
         the province for 2 million euros. Nets would have saved the vines, said Livia Contarelli of the growers' union, but few can afford them. \
         Greenhouses in Ponteverde lost 600 panes, and a boy of nine was hurt by a falling tile. More storms are expected on Monday.",
    ],
    [
        "The night ferry between Skarholm and the islands will carry no more cars from January. The shipping line Nordhavn said on Monday that its \
         oldest vessel, the Alvhild, will be replaced by a catamaran for 180 passengers, which needs two hours for the crossing instead of five and burns \
         a third less fuel. Lorries with fish and milk are to take the daytime freighter from Grunnvik, 70 kilometres further north. Farmers \
         on the islands fear for their cheese: it is loaded at dusk and has to be at the market by dawn. Asbjorn Teigen, who keeps ninety goats, \
         reckoned that the drive to Grunnvik will cost him 400 kroner a week. The mayor, Liv Sandoy, demanded that the ministry pay for a second \
         freighter, as it does in the south. A spokesman for Nordhavn, Peder Lund, pointed out that on most nights fewer than eight cars were \
         on board. The Alvhild, which was built in Gdansk in 1974 and twice ran aground, goes to a museum that wants to turn her saloon with its \
         mahogany bar into a restaurant.",
        "Cars will have to stay off the ferry that sails to the islands by night. Next year a catamaran takes over: it is quicker, needs less \
         fuel and has room for people alone. Lorries are sent to a freighter in the north by day. That is too late for cheese, farmers complain, \
         and the mayor wants one more freighter. The old vessel with its bar of mahogany becomes a museum piece.",
        "Nordhavn has ordered 300 life rafts after a passenger of the Alvhild found one full of holes. The shipping line blamed mice in its store at \
         Skarholm. Inspector Hege Myrvold stopped two sailings on Sunday, and 95 people slept in a school gym. The union of seamen, which had \
         complained about rations and overtime in the same week, wants the manager to resign. Rafts on the freighter were sound.",
    ],
];

/// Those of the stories, their short versions and the reports that are asked for, among generated news: who is in a cluster.
fn joined_of_shortened(kinds: [usize; 2]) -> Vec<Vec<String>> {
    let of = |(at, story): (usize, &[&str; 3])| kinds.map(|kind| (format!("{at} {kind}"), story[kind].into()));
    let texts: Vec<Text> = SHORTENED.iter().enumerate().flat_map(of).chain(stories(2000, 1)).collect();
    let report = Detector::new().find(&texts).unwrap();
    groups(&report).into_iter().map(|ids| ids.into_iter().map(String::from).collect()).collect()
}

#[test]
fn a_short_version_that_leaves_out_names_and_figures_is_a_copy() {
    assert_eq!(joined_of_shortened([0, 1]), [["0 0", "0 1"], ["1 0", "1 1"], ["2 0", "2 1"]]);
}

#[test]
fn a_short_text_with_news_of_its_own_is_no_short_version() {
    assert!(joined_of_shortened([0, 2]).is_empty());
    assert!(joined_of_shortened([1, 2]).is_empty());
}

/// The stories, each told after many others: some twelve thousand words.
fn broadcast() -> String {
    let news = stories(60, 3);
    let told = SHORTENED.iter().zip(news.chunks(20));
    let parts = told.flat_map(|(story, news)| news.iter().map(|(_, text)| &text[..]).chain([story[0]]));
    parts.collect::<Vec<_>>().join("\n\n")
}

const OF_BROADCAST: &str = "Three villages were in the news. In Oberlinden the council voted to leave the gap over the Tamsel gorge open: the rock on the \
    northern side is crumbling, said an engineer, Ruta Halvik, and innkeeper Josip Verdan has hardly sold any lunches since Easter. Near \
    Castelmora the lorry driver Tomaso Brighi found the bronze bell that was stolen from the chapel of Saint Orsola under brambles; \
    the parish priest, Don Elio Marchetti, wept, and it is to ring again at the grape harvest. The shipping line Nordhavn will replace its \
    oldest vessel, the Alvhild, by a catamaran. Farmers on the islands fear for their cheese, and the mayor, Liv Sandoy, demanded a second \
    freighter.";

/// Whether a text is told to be a copy of the broadcast, among generated news.
fn is_of_broadcast(text: &str) -> bool {
    let (all, part) = (("all".into(), broadcast()), ("part".into(), text.into()));
    let texts: Vec<Text> = stories(2000, 1).into_iter().chain([all, part]).collect();
    groups(&Detector::new().find(&texts).unwrap()) == [["all", "part"]]
}

#[test]
fn a_summary_of_a_far_longer_text_is_a_copy() {
    assert!(is_of_broadcast(OF_BROADCAST));
}

#[test]
fn news_of_those_in_a_far_longer_text_is_no_copy_of_it() {
    assert!(!is_of_broadcast(&SHORTENED.map(|story| story[2]).join(" ")));
}
