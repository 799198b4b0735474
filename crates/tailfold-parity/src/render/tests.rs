use crate::sample::report;

#[test]
fn table_is_aligned_and_starts_with_headline() {
    let mut report = report();
    report.backends.reference = "tract".to_owned();
    report.backends.candidate = "ort".to_owned();
    let expect = "\
FAIL few: 64.0 % against 70.0 % (-6.00 pp, 95 % upper bound -4.81, margin 1.00); overall fails; medium and many pass
  also: overall: 78.0 % against 80.0 % (-2.00 pp, 95 % upper bound -1.60, margin 0.50)

         images  classes  reference  candidate  delta pp  lower  resampled  margin  passes from  lost  gained      p  verdict
many       1000        1    90.00 %    90.10 %     +0.10  -0.17      +0.00    1.00         0.17     0       1   1e-4     pass
medium     1000        1    80.00 %    79.90 %     -0.10  -0.47      -0.30    1.00         0.47     1       0   7e-4     pass
few        1000        1    70.00 %    64.00 %     -6.00  -7.39      -7.20    1.00         7.39    60       0  1.000     fail
overall    3000        3    80.00 %    78.00 %     -2.00  -2.47      -2.43    0.50         2.47    61       1  1.000     fail

flips: 62 of 3000 images, 62 toward more frequent classes, 0 toward rarer ones
ties at the top: 0 in the reference, 0 in the candidate
NaN or infinite: 0 in the reference, 0 in the candidate
logits differ by 2.000e0 at most, 2.348e-1 on average (root mean square), 12.1 dB signal to noise; mean divergence 2.81e-2 nats
calibration error: 1.30 % in the reference, 0.70 % in the candidate
few: label of 33.33 % of the images, decision for 26.67 -> 24.63 %, mean probability 28.80 -> 27.41 %
medium: label of 33.33 % of the images, decision for 36.67 -> 38.63 %, mean probability 35.60 -> 36.94 %
many: label of 33.33 % of the images, decision for 36.67 -> 36.73 %, mean probability 35.60 -> 35.65 %
back ends: tract against ort
warning: class 2 raft|_: recall 64.0 % against 70.0 %, more lost than gained (p 2.6e-18, of 3 classes by Holm)

worst classes   group  trained on  images              recall  delta pp
2 raft|_          few           4    1000  70.00 % -> 64.00 %     -6.00
1 tug\u{fffd}[2J      medium          40    1000  80.00 % -> 79.90 %     -0.10
";
    assert_eq!(report.to_table(), expect);
}

#[test]
fn json_has_the_fields_of_the_contract() {
    let json: serde_json::Value = serde_json::from_str(&report().to_json()).unwrap();
    assert_eq!(json["schema"], "tailfold.parity/1");
    assert_eq!(json["verdict"], "fail");
    assert_eq!(json["decided_by"], "few");
    for part in [
        &json["overall"],
        &json["groups"]["many"],
        &json["groups"]["medium"],
        &json["groups"]["few"],
    ] {
        for field in [
            "images",
            "classes",
            "reference_top1",
            "candidate_top1",
            "delta_pp",
            "lower_bound_pp",
            "margin_pp",
            "discordant",
        ] {
            assert!(part[field].is_number(), "{field} in {part}");
        }
    }
    for field in ["ties", "non_finite", "backends", "model_sha256"] {
        assert!(
            !json[field]["reference"].is_null() && !json[field]["candidate"].is_null(),
            "{field}"
        );
    }
    assert_eq!(json["images"], 3000);
    assert_eq!(json["flips"], 62);
    assert_eq!(json["flips_toward_frequent"], 62);
    assert_eq!(json["worst_classes"][0]["name"], "raft|_");
    assert_eq!(json["policy"]["group_margin_pp"]["few"], 1.0);
    let text = report().to_json();
    assert!(
        text.starts_with("{\n  \"schema\": \"tailfold.parity/1\""),
        "{text}"
    );
}
