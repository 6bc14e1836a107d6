//! What becomes of faults: rests, classes and words.

use super::*;

#[test]
fn the_most_retryable_class_is_the_least() {
    assert!(
        Class::OutOfQuota < Class::Timeout && Class::Timeout < Class::Unavailable && Class::Unavailable < Class::Keys
    );
}

#[test]
fn an_unknown_rest_doubles_up_to_ten_minutes_and_a_local_one_stays_short() {
    let busy = Fault::Busy { until: None, scope: None, period: None };
    let rests: Vec<u64> = (0..6).filter_map(|repeats| rest(&busy, repeats, false)).map(|rest| rest.as_secs()).collect();
    assert_eq!(rests, [60, 120, 240, 480, 600, 600]);
    let minute = Fault::Busy { until: None, scope: None, period: Some(Period::Minute) };
    assert_eq!(
        [0, 1, 5].map(|repeats| rest(&minute, repeats, false).map(|rest| rest.as_secs())),
        [60, 90, 90].map(Some)
    );
    let second = Fault::Busy { until: None, scope: None, period: Some(Period::Second) };
    assert_eq!([0, 1, 9].map(|repeats| rest(&second, repeats, false).map(|rest| rest.as_secs())), [2, 4, 60].map(Some));
    assert_eq!(rest(&busy, 5, true), Some(Duration::from_secs(5)));
    assert_eq!(rest(&Fault::Denied, 0, false), None);
}

#[test]
fn words_name_the_window_not_the_provider() {
    let spent = Fault::Spent { until: None, scope: None, period: Some(Period::Day) };
    assert_eq!(spent.word(), "429-day");
    assert_eq!(Fault::Broken(Breakage::Status(503)).word(), "503");
}

#[test]
fn refusals_agree_on_a_mistake_and_not_on_what_each_provider_lacks() {
    let said = |message: &str, param: Option<&str>| Fault::Invalid {
        status: 400,
        message: message.to_owned(),
        param: param.map(str::to_owned),
        code: None,
    };
    let temperature = said("must be 1 at most", Some("temperature"));
    for (message, param, agrees) in [
        ("must be positive", Some("temperature"), true),
        ("temperature must be positive", None, true),
        ("must be positive", None, false),
        ("must be a string", Some("messages[0].content"), false),
    ] {
        assert_eq!(said(message, param).is_about_the_same_as(&temperature), agrees, "{message} {param:?}");
    }
    let of_length = said("max tokens must be less than or equal to 8000", None);
    let of_tools = said("Type mismatch of '/tools/0/function/parameters/type'", None);
    for (one, other, agrees) in [
        (&of_length, &said("'maxOutputTokens' is too large", None), false),
        (&of_length, &said("is above the maximum", Some("max_completion_tokens")), false),
        (&of_length, &of_tools, false),
        (&of_tools, &said("is no schema", Some("tools[0].function")), true),
        (&said("top_p must be at most 1", None), &said("the stop parameter is stopped", None), false),
        (&said("the image cannot be read", None), &said("Could not process image", None), true),
    ] {
        assert_eq!(one.is_about_the_same_as(other), agrees, "{one:?} {other:?}");
    }
    assert!(temperature.is_mistake() && !Fault::Cut.is_mistake());
    for message in ["body.seed: Extra inputs are not permitted", "Unsupported parameter: seed", "`n` is not supported"]
    {
        assert!(!said(message, None).is_mistake(), "{message}");
    }
}
