-- name: fct_series
-- grain: series of an exam
-- key: exam_key, series_key
-- purpose: Series with their device and acquisition times.
-- materialize: table
-- scope: exam
-- column: series_key VARCHAR - | keyed series
-- column: study_key VARCHAR - | keyed study
-- column: exam_key VARCHAR - | exam
-- column: device VARCHAR - | device
-- column: facility VARCHAR - | facility
-- column: modality VARCHAR - | DICOM modality
-- column: body_part VARCHAR - | body part examined, as sent
-- column: started_at TIMESTAMP UTC | first acquisition
-- column: ended_at TIMESTAMP UTC | last acquisition
-- column: n_images BIGINT images | objects
-- column: clock VARCHAR - | best clock rung used
-- column: manufacturer VARCHAR - | as sent
-- column: model VARCHAR - | as sent
-- column: station VARCHAR - | as sent
SELECT i.series_key, min(i.study_key) AS study_key, i.exam_key, min(i.device) AS device, min(i.facility) AS facility,
       min(i.modality) AS modality, min(i.body_part) AS body_part, min(i.acquired_at) AS started_at,
       max(i.acquired_ended_at) AS ended_at, count(*) AS n_images, min(i.acquired_clock) AS clock,
       min(i.manufacturer) AS manufacturer, min(i.model) AS model, min(i.station) AS station
FROM stg_instance i
WHERE i.series_key IS NOT NULL
GROUP BY i.exam_key, i.series_key
