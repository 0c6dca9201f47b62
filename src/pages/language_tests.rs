use super::*;

fn page(ui_locales: &str, accept_language: &str) -> &'static str {
    let asked: Vec<String> = ui_locales.split(' ').map(str::to_owned).collect();
    Languages::new(&asked, [accept_language].into_iter()).page().tag()
}

/// RFC 4647 §3.4
#[test]
fn a_range_is_shortened_from_its_end_until_a_language_fits() {
    for (range, tag) in [
        ("de", Some("de")),
        ("DE-at", Some("de")),
        ("de-CH-1996", Some("de")),
        ("pt-BR", Some("pt")),
        ("ja-Jpan-JP", Some("ja")),
        ("fr-CN-x-private1-private2", Some("fr")),
        ("es-a-b-c-ddd", Some("es")),
        ("zh-Hant-CN-x-private1-private2", None),
        ("d", None),
        ("deu", None),
        ("de-", Some("de")),
        ("-de", None),
        ("", None),
        ("-", None),
        ("*", None),
    ] {
        assert_eq!(Language::lookup(range).map(Language::tag), tag, "{range}");
    }
}

/// RFC 9110 §12.5.4
#[test]
fn the_accepted_language_of_the_most_weight_is_the_page_s() {
    for (header, tag) in [
        ("", "en"),
        ("de", "de"),
        ("da, en-gb;q=0.8, en;q=0.7", "en"),
        ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", "fr"),
        ("en;q=0.2,ja;q=0.9,de;q=0.9", "ja"),
        ("en;q=0.5, es ; q=0.501", "es"),
        ("sv, fi;q=0.9", "en"),
        ("sv, pt-BR;q=0.001", "pt"),
        ("*", "en"),
        ("de;q=0, fr;q=0.1", "fr"),
        ("de;q=0", "en"),
        ("de;q=1.000, fr;q=1", "de"),
    ] {
        assert_eq!(page("", header), tag, "{header}");
    }
}

// threat 152
#[test]
fn what_is_no_language_range_is_passed_over_and_never_an_error() {
    for header in [
        "de;q=2",
        "de;q=-1",
        "de;q=0.1234",
        "de;q=",
        "de;q",
        "de;q=.5",
        "de;q=1.001",
        "de;q=0.5;q=1",
        "de;level=1",
        "de;q=NaN",
        "de;q=1e0",
        "de;q=0.٣",
        "de_DE",
        "\"de\"",
        "<script>alert(1)</script>",
        "../de",
        "de\u{0}",
        ";;;,,,;q=1",
        "q=1;de",
    ] {
        assert_eq!(page("", header), "en", "{header:?}");
        assert_eq!(page("", &format!("{header}, fr;q=0.1")), "fr", "{header:?}");
        assert_eq!(page(header, ""), "en", "{header:?}");
    }
    for hostile in
        ["de-".repeat(9_000), ",".repeat(9_000) + "de", "x-".repeat(9_000), "sv,".repeat(20) + "de"]
    {
        assert_eq!(page("", &hostile), "en");
        page(&hostile, &hostile);
    }
}

/// OpenID Connect Core §3.1.2.1
#[test]
fn what_the_request_asks_for_comes_before_what_the_browser_accepts() {
    assert_eq!(page("ja", "de"), "ja");
    assert_eq!(page("se ja-JP de", "fr"), "ja");
    assert_eq!(page("se", "fr"), "fr", "nothing that was asked for is there");
    assert_eq!(page("se", ""), "en");
    let person = Languages::new(&["fr".to_owned()], ["de"].into_iter());
    assert_eq!(person.clone().asking(&["es".to_owned()]).page(), Language::Spanish);
    assert_eq!(person.asking(&[]).page(), Language::German);
}

/// RFC 7591 §2.2
#[test]
fn a_foreign_text_comes_in_the_language_that_fits_best_even_when_it_is_none_of_ours() {
    let mut name = Localized::plain("写真");
    name.by_language.insert("it".into(), "Foto".into());
    name.by_language.insert("en".into(), "Photos".into());
    let best = |ui_locales: &str, header| {
        let person = Languages::new(&[ui_locales.to_owned()], [header].into_iter());
        person.best(&name).map(str::to_owned)
    };
    assert_eq!(best("it-CH", "de").as_deref(), Some("Foto"));
    assert_eq!(best("", "sv, it;q=0.3").as_deref(), Some("Foto"));
    assert_eq!(best("", "sv").as_deref(), Some("Photos"), "as the page");
    assert_eq!(best("", "de").as_deref(), Some("写真"));
    assert_eq!(Languages::default().best(&Localized::default()), None);
}

/// The text without a tag is for everybody, and most of all for who reads the page well.
#[test]
fn what_is_read_less_well_than_the_page_comes_after_the_text_without_a_tag() {
    let mut name = Localized::plain("Albums");
    name.by_language.insert("de".into(), "Fotoalben".into());
    name.by_language.insert("ja-jpan-jp".into(), "アルバム".into());
    let read = |ui_locales: &str, header, name: &Localized| {
        let person = Languages::new(&[ui_locales.to_owned()], [header].into_iter());
        person.best(name).map(str::to_owned)
    };
    let best = |ui_locales, header| read(ui_locales, header, &name);
    assert_eq!(best("", "en-US, en;q=0.9, de;q=0.8").as_deref(), Some("Albums"));
    assert_eq!(best("en", "de").as_deref(), Some("Albums"));
    assert_eq!(best("", "de, en;q=0.9").as_deref(), Some("Fotoalben"));
    assert_eq!(best("", "sv, de;q=0.1").as_deref(), Some("Fotoalben"), "the page is German then");
    assert_eq!(best("ja", "de").as_deref(), Some("アルバム"), "the example of RFC 7591 §2.2");
    let tagged_only = Localized { default: None, ..name.clone() };
    assert_eq!(read("en", "de", &tagged_only).as_deref(), Some("Fotoalben"), "better than none");
}

/// OpenID Discovery §3: the form of BCP 47, in its canonical case.
#[test]
fn every_language_has_a_tag_of_two_small_letters_that_finds_it() {
    for language in Language::ALL {
        let tag = language.tag();
        assert!(tag.len() == 2 && tag.bytes().all(|letter| letter.is_ascii_lowercase()), "{tag}");
        assert_eq!(Language::lookup(tag), Some(language));
        assert_eq!(language.direction(), Direction::LeftToRight);
    }
}
