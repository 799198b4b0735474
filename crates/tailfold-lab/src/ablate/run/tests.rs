use super::*;

fn job(folder: &Path) -> Job {
    Job {
        arm: "ce".to_owned(),
        seed: 0,
        config: "name = \"ce\"".to_owned(),
        folder: folder.to_owned(),
    }
}

fn metrics(rows: &str) -> String {
    format!("epoch,loss,val_top1,val_many,val_medium,val_few\n{rows}")
}

#[test]
fn columns_are_read_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recall.csv");
    fs::write(
        &path,
        "class,name,train_count,images,recall,offset\n0,bag,100,5,0.8,-1.5\n1,coat,1,0,,2.5\n",
    )
    .unwrap();
    let classes: Vec<Class> = rows(&path).unwrap();
    assert_eq!(classes[0].recall, Some(0.8));
    assert_eq!((classes[1].train_count, classes[1].recall), (1, None));
    fs::write(&path, "class,name\n0,bag\n").unwrap();
    let error = format!("{:#}", rows::<Class>(&path).unwrap_err());
    assert!(
        error.contains("recall.csv") && error.contains("train_count"),
        "{error}"
    );
}

#[test]
fn summary_has_last_epoch_and_earliest_best_epoch() {
    let text = metrics(
        "1,2.0,0.5,0.6,,0.1\n2,1.0,0.75,0.8,,0.2\n3,0.5,0.75,0.7,,0.3\n4,0.4,0.7,0.9,,0.4\n",
    );
    let epochs: Vec<Epoch> = csv::Reader::from_reader(text.as_bytes())
        .deserialize()
        .collect::<Result<_, _>>()
        .unwrap();
    let (last, best, epoch) = summary(&epochs).unwrap();
    assert!((last.overall - 70.0).abs() < 1e-9 && last.medium.is_none());
    assert!((best - 75.0).abs() < 1e-9);
    assert_eq!(epoch, 2, "the earliest of equals");
}

#[test]
fn epoch_without_accuracy_is_error() {
    for row in ["1,2.0,,,,\n", "1,2.0,NaN,0.5,,\n"] {
        let epochs: Vec<Epoch> = csv::Reader::from_reader(metrics(row).as_bytes())
            .deserialize()
            .collect::<Result<_, _>>()
            .unwrap();
        let error = summary(&epochs).unwrap_err().to_string();
        assert!(error.contains("epoch 1"), "{row}: {error}");
    }
    assert!(summary(&[]).is_err());
}

#[test]
fn folder_of_another_configuration_is_error() {
    let folder = tempfile::tempdir().unwrap();
    let job = job(folder.path());
    job.check_folder().unwrap();
    fs::write(folder.path().join(CONFIG), &job.config).unwrap();
    job.check_folder().unwrap();
    fs::write(folder.path().join(CONFIG), "name = \"sdot\"").unwrap();
    let error = job.check_folder().unwrap_err().to_string();
    assert!(error.contains("another configuration"), "{error}");
}
