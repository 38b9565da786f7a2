-- name: dim_device
-- grain: device
-- key: device
-- purpose: Devices of the site, and devices that were only seen in the data.
-- materialize: table
-- column: device VARCHAR - | id; facility:model/serial or facility:station where the site does not list it
-- column: device_name VARCHAR - | name
-- column: facility VARCHAR - | facility
-- column: modality VARCHAR - | DICOM modality
-- column: manufacturer VARCHAR - | manufacturer
-- column: model VARCHAR - | model
-- column: station VARCHAR - | station name
-- column: is_listed BOOLEAN - | the site lists it
-- column: first_exam_at TIMESTAMP UTC | first exam
SELECT coalesce(s.device, p.device) AS device, coalesce(s.name, p.device) AS device_name,
       coalesce(s.facility, p.facility) AS facility, coalesce(s.modality, p.modality) AS modality,
       coalesce(s.manufacturer, r.manufacturer) AS manufacturer, coalesce(s.model, r.model) AS model,
       coalesce(s.station, r.station) AS station, s.device IS NOT NULL AS is_listed, p.first_at AS first_exam_at
FROM device_profile p
FULL JOIN (SELECT d.device, min(d.name) AS name, min(d.facility) AS facility, min(d.modality) AS modality,
                  min(d.manufacturer) AS manufacturer, min(d.model) AS model, min(d.station) AS station
           FROM site_devices d GROUP BY d.device) s ON s.device = p.device
LEFT JOIN (SELECT q.device, min(q.manufacturer) AS manufacturer, min(q.model) AS model, min(q.station) AS station
           FROM fct_series q GROUP BY q.device) r ON r.device = p.device
